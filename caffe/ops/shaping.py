"""Layers that move values and change none: Concat, Slice, Split, Reshape,
Flatten, Silence. Caffe: concat_layer.cpp and so on; spec A.12, A.21, A.22.

Split, Reshape, Flatten, and a Concat or Slice of one blob share the bottom's
memory, as they do in Caffe (Reshape and Flatten only where the memory format
allows it).
"""

import math

import torch

from caffe.ops.base import Op
from caffe.shape import canonical, shape_text


def either_axis(p, old):
    """The axis, which may be given under its old name, not under both."""
    if p.HasField(old) and p.HasField('axis'):
        raise RuntimeError(
            f'Either axis or {old} should be specified; not both.'
        )
    return getattr(p, old) if p.HasField(old) else p.axis


class Concat(Op):
    """The bottoms one behind the other along `axis`."""

    bottoms = (1, None)
    in_place = 'Concat Layer does not allow in-place computation.'

    def setup(self, shapes):
        self.axis = canonical(
            either_axis(self.param.concat_param, 'concat_dim'), shapes[0]
        )
        self.overwritable = len(shapes) > 1

    def top_shapes(self, shapes):
        top = list(shapes[0])
        for i, shape in enumerate(shapes[1:], 1):
            rest = [*shape[: self.axis], *shape[self.axis + 1 :]]
            if len(shape) != len(top) or rest != [
                *top[: self.axis],
                *top[self.axis + 1 :],
            ]:
                raise RuntimeError(
                    'All inputs must have the same shape, except at '
                    f'concat_axis ({self.axis}): bottom[0] is '
                    f'{shape_text(shapes[0])}, bottom[{i}] is '
                    f'{shape_text(shape)}'
                )
            top[self.axis] += shape[self.axis]
        return [tuple(top)]

    def forward(self, bottoms, params):
        if len(bottoms) == 1:
            return [bottoms[0].view_as(bottoms[0])]
        return [torch.cat(bottoms, self.axis)]


class Slice(Op):
    """Concat undone: the bottom in parts, cut at `slice_point` or into equal
    ones."""

    tops = (1, None)
    in_place = 'Slice Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.slice_param
        self.axis = canonical(either_axis(p, 'slice_dim'), shapes[0])
        self.points, tops = list(p.slice_point), len(self.param.top)
        self.overwritable = tops > 1
        if self.points and len(self.points) != tops - 1:
            raise RuntimeError(
                f'{tops} tops need {tops - 1} slice points, '
                f'{len(self.points)} given'
            )
        if self.points != sorted(set(self.points)):
            raise RuntimeError(f'slice points {self.points} must increase')

    def sizes(self, shape):
        total, tops = shape[self.axis], len(self.param.top)
        if not self.points and total % tops:
            raise RuntimeError(
                f'{total} at axis {self.axis} of '
                f'{shape_text(shape)} does not divide into '
                f'{tops} equal slices'
            )
        if not self.points:
            return [total // tops] * tops
        ends = [*self.points, total]
        sizes = [end - start for start, end in zip([0, *ends], ends)]
        if min(sizes) < 1:
            raise RuntimeError(
                f'slice points {self.points} lie outside axis '
                f'{self.axis} of {shape_text(shape)}'
            )
        return sizes

    def top_shapes(self, shapes):
        before, after = shapes[0][: self.axis], shapes[0][self.axis + 1 :]
        return [(*before, size, *after) for size in self.sizes(shapes[0])]

    def forward(self, bottoms, params):
        (x,) = bottoms
        if len(self.param.top) == 1:
            return [x.view_as(x)]
        parts = torch.split(x, self.sizes(x.shape), self.axis)
        return [part.clone() for part in parts]


class Split(Op):
    """The same blob under several names; its gradient is the sum of theirs.
    The net inserts one behind every blob that several layers read."""

    tops = (1, None)
    in_place = 'Split Layer does not allow in-place computation.'

    def top_shapes(self, shapes):
        return shapes * len(self.param.top)

    def forward(self, bottoms, params):
        return bottoms * len(self.param.top)

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        if len(diffs) == 1:
            return [diffs[0].clone()], []
        total = diffs[0] + diffs[1]
        for diff in diffs[2:]:
            total += diff
        return [total], []


class Reshape(Op):
    """The same values, in the same order, under `shape`: 0 keeps a dim, -1
    takes what is left."""

    in_place = 'Reshape Layer does not allow in-place computation.'

    def top_shapes(self, shapes):
        shape, p = shapes[0], self.param.reshape_param
        start = p.axis if p.axis >= 0 else len(shape) + p.axis + 1
        if not 0 <= start <= len(shape):
            raise RuntimeError(
                f'reshape axis {p.axis} is out of range for '
                f'{len(shape)}-D {shape_text(shape)}'
            )
        end = len(shape) if p.num_axes == -1 else start + p.num_axes
        if p.num_axes < -1 or end > len(shape):
            raise RuntimeError(
                f'reshape num_axes {p.num_axes} from axis {start} is out of '
                f'range for {len(shape)}-D {shape_text(shape)}'
            )
        middle = self.middle(shape, start)
        top = [*shape[:start], *middle, *shape[end:]]
        known = math.prod(dim for dim in top if dim != -1)
        if -1 in top and known and math.prod(shape) % known == 0:
            top[top.index(-1)] = math.prod(shape) // known
        if math.prod(top) != math.prod(shape) or -1 in top:
            raise RuntimeError(
                f'output count must match input count: {shape_text(shape)} '
                f'cannot become {" ".join(map(str, top))}'
            )
        return [tuple(top)]

    def middle(self, shape, start):
        """The new dims, with zeros replaced by what they copy."""
        dims = list(self.param.reshape_param.shape.dim)
        if dims.count(-1) > 1 or any(dim < -1 for dim in dims):
            raise RuntimeError(
                f'reshape dims {dims}: one may be -1, the '
                'others must not be negative'
            )
        for i, dim in enumerate(dims):
            if dim == 0:
                if start + i >= len(shape):
                    raise RuntimeError(
                        f'reshape dim {i} is 0, but {shape_text(shape)} has '
                        f'no axis {start + i} to copy'
                    )
                dims[i] = shape[start + i]
        return dims

    def forward(self, bottoms, params):
        (x,) = bottoms
        return [x.reshape(self.top_shapes([tuple(x.shape)])[0])]


class Flatten(Op):
    """Merges the axes from `axis` to `end_axis`, both included."""

    in_place = 'Flatten Layer does not allow in-place computation.'

    def axes(self, shape):
        p = self.param.flatten_param
        first, last = canonical(p.axis, shape), canonical(p.end_axis, shape)
        if first > last:
            raise RuntimeError(f'axis {first} comes after end_axis {last}')
        return first, last

    def top_shapes(self, shapes):
        shape = shapes[0]
        first, last = self.axes(shape)
        merged = math.prod(shape[first : last + 1])
        return [(*shape[:first], merged, *shape[last + 1 :])]

    def forward(self, bottoms, params):
        (x,) = bottoms
        return [x.flatten(*self.axes(x.shape))]


class Silence(Op):
    """Reads blobs so that they are no outputs of the net."""

    bottoms = (1, None)
    tops = (0, 0)

    def top_shapes(self, shapes):
        return []

    def forward(self, bottoms, params):
        return []

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        return [
            torch.zeros_like(x) if need else None
            for x, need in zip(bottoms, need_bottoms)
        ], []
