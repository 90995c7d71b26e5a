"""Crop: cuts a blob to the size of another. Caffe: crop_layer.cpp; spec A.11.

The window begins at `offset` (coord_map.crop works it out); it is not
centred.
"""

from caffe.ops.base import Op
from caffe.shape import canonical


class Crop(Op):
    """From `axis` on, the top has bottom 1's size; before it, bottom 0's. The
    values of bottom 1 do not matter, so no gradient flows there."""

    bottoms = (2, 2)
    overwritable = True
    in_place = 'Crop Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.crop_param
        self.axis = canonical(p.axis, shapes[0])
        axes = len(shapes[0]) - self.axis
        offsets = list(p.offset) or [0]
        if len(offsets) == 1:
            offsets *= axes
        if len(offsets) != axes:
            raise RuntimeError(
                f'Crop takes one offset, or one for each of the {axes} axes '
                f'from {self.axis} on: {len(offsets)} given'
            )
        self.offsets = offsets

    def top_shapes(self, shapes):
        shape, reference = shapes
        top = list(shape)
        for i, offset in enumerate(self.offsets, self.axis):
            top[i] = reference[canonical(i, reference)]
            if shape[i] - offset < top[i]:
                raise RuntimeError(
                    f'the crop for dimension {i} is out-of-bounds with size '
                    f'{top[i]} and offset {offset} (bottom 0 has {shape[i]})'
                )
        return [tuple(top)]

    def forward(self, bottoms, params):
        x, reference = bottoms
        for i, offset in enumerate(self.offsets, self.axis):
            x = x.narrow(i, offset, reference.shape[i])
        return [x.clone()]  # or the whole bottom stays in memory
