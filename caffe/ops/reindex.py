"""Layers that repeat, look up, reorder and leave out: Tile, Embed,
BatchReindex, Filter. Caffe: tile_layer.cpp, embed_layer.cpp,
batch_reindex_layer.cpp, filter_layer.cpp."""

import torch

from caffe.ops.base import Op
from caffe.ops.indices import Indices
from caffe.shape import canonical, shape_text


class Tile(Op):
    """The bottom `tiles` times, one behind the other along `axis`."""

    overwritable = True
    in_place = 'Tile Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.tile_param
        if not p.HasField('tiles'):
            raise RuntimeError('Number of tiles must be specified')
        if p.tiles < 1:
            raise RuntimeError(
                f'Number of tiles must be positive. ({p.tiles} vs. 0)'
            )
        self.axis = canonical(p.axis, shapes[0])

    def top_shapes(self, shapes):
        top = list(shapes[0])
        top[canonical(self.axis, shapes[0])] *= self.param.tile_param.tiles
        return [tuple(top)]

    def forward(self, bottoms, params):
        return [torch.cat(bottoms * self.param.tile_param.tiles, self.axis)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        sizes = self.param.tile_param.tiles, bottoms[0].shape[self.axis]
        return [diffs[0].unflatten(self.axis, sizes).sum(self.axis)], []


class Embed(Op):
    """A row of the weight for every index in the bottom (plus the bias).
    Blobs: weight (input_dim, num_output), bias (num_output,)."""

    overwritable = True
    in_place = 'Embed Layer does not allow in-place computation.'

    def setup(self, shapes):
        p = self.param.embed_param
        for name in ('num_output', 'input_dim'):
            if not getattr(p, name):
                raise RuntimeError(f'EmbedLayer {name} must be positive.')
        self.add_blob((p.input_dim, p.num_output), p.weight_filler)
        if p.bias_term:
            self.add_blob((p.num_output,), p.bias_filler)
        self.indices = Indices(
            lambda index, rows: (
                f'index {index:g} is none of the {rows} rows of the embedding '
                f'(input_dim, 0..{rows - 1})'
            )
        )

    def top_shapes(self, shapes):
        return [(*shapes[0], self.param.embed_param.num_output)]

    def forward(self, bottoms, params):
        (x,), (weight, *bias) = bottoms, params
        wrong = self.indices.watch(x, len(weight))
        y = weight[self.indices.read(x, len(weight))]
        for term in (*bias, wrong):
            y = y if term is None else y.add_(term)
        return [y.reshape(*x.shape, -1)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        if need_bottoms[0]:
            raise RuntimeError("Can't backpropagate to EmbedLayer input.")
        rows = diffs[0].reshape(-1, params[0].shape[1])
        index = self.indices.read(bottoms[0], len(params[0]))
        found = [torch.zeros_like(params[0]).index_add_(0, index, rows)]
        return [None], [*found, rows.sum(0)][: len(params)]

    def check(self):
        """Raises if the GPU has met a wrong index (see Indices)."""
        self.indices.check()


class BatchReindex(Op):
    """The items of bottom 0 in the order that bottom 1 says: any number of
    them, any of them more than once."""

    bottoms = (2, 2)
    overwritable = True
    in_place = 'BatchReindex Layer does not allow in-place computation.'

    def setup(self, shapes):
        self.indices = Indices(
            lambda index, items: (
                'Index specified for reindex layer was negative. '
                f'({index:g} vs. 0)'
                if index < 0
                else 'Index specified for reindex layer was greater than '
                f'batch size. ({index:g} vs. {items})'
            )
        )

    def top_shapes(self, shapes):
        items, order = shapes
        if len(order) != 1:
            raise RuntimeError(
                'BatchReindex takes indices with 1 axis, not '
                f'{shape_text(order)}'
            )
        if not items:
            raise RuntimeError('BatchReindex: bottom 0 is a scalar')
        return [(*order, *items[1:])]

    def forward(self, bottoms, params):
        x, order = bottoms
        wrong = self.indices.watch(order, len(x))
        y = x.index_select(0, self.indices.read(order, len(x)))
        return [y if wrong is None else y.add_(wrong)]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        if need_bottoms[1]:
            raise RuntimeError('Cannot backprop to index.')
        x, order = bottoms
        index = self.indices.read(order, len(x))
        return [torch.zeros_like(x).index_add_(0, index, diffs[0]), None], []

    def check(self):
        """Raises if the GPU has met a wrong index (see Indices)."""
        self.indices.check()


class Filter(Op):
    """Of every bottom but the last, the items for which the last, the
    selector, is not 0. There may be none: then the tops are empty.

    How many there are is known only in forward, on a GPU after waiting for
    it; a net that is built or reshaped makes room for all.
    """

    bottoms = (2, None)
    tops = (1, None)
    in_place = 'Filter Layer does not allow in-place computation.'

    def top_shapes(self, shapes):
        *items, selector = shapes
        if len(items) != len(self.param.top):
            raise RuntimeError(
                'Filter takes a bottom for every top and a selector: '
                f'{len(shapes)} bottoms, {len(self.param.top)} tops'
            )
        if any(dim != 1 for dim in selector[1:]):
            raise RuntimeError(
                'Selector blob dimensions must be singletons (1), except the '
                f'first ({shape_text(selector)})'
            )
        for shape in items:
            if not selector or shape[:1] != selector[:1]:
                raise RuntimeError(
                    'Each bottom should have the same 0th dimension as the '
                    f'selector blob ({shape_text(shape)} vs. '
                    f'{shape_text(selector)})'
                )
        return items

    def forward(self, bottoms, params):
        *items, selector = bottoms
        chosen = selector.flatten().nonzero().flatten()
        return [x.index_select(0, chosen) for x in items]

    def backward(self, diffs, tops, bottoms, params, need_bottoms, need_params):
        *items, selector = bottoms
        if need_bottoms[-1]:
            raise RuntimeError(
                'FilterLayer cannot backpropagate to filter index inputs'
            )
        chosen = selector.flatten().nonzero().flatten()
        return [
            *(
                torch.zeros_like(x).index_copy_(0, chosen, dy) if need else None
                for x, dy, need in zip(items, diffs, need_bottoms)
            ),
            None,
        ], []
