"""Shapes as tuples: axes that count from the end, and Caffe's text for them."""

import math


def canonical(axis, shape):
    """A non-negative axis; negative ones count from the end (blob.hpp)."""
    if not -len(shape) <= axis < len(shape):
        raise RuntimeError(
            f'axis {axis} out of range for {len(shape)}-D Blob with shape '
            f'{shape_text(shape)}'
        )
    return axis % len(shape)


def shape_text(shape):
    """Caffe's text for a shape: '1 3 5 5 (75)', or '(1)' for a scalar."""
    return ''.join(f'{dim} ' for dim in shape) + f'({math.prod(shape)})'
