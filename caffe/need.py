"""Which layers, bottoms and parameters backward must reach, and which in-place
layers may write over the memory they read.

Caffe: net.cpp Init; spec section C.5.
"""

from caffe.log import logger


def settle_backward(nodes, force):
    """Sets need, need_bottoms and (force_backward) need_params of the nodes.

    Forward: a gradient may pass through whatever depends on a parameter.
    Backward: of that, only what leads to a loss is wanted.
    """
    flag(nodes)
    under_loss, cut = set(), set()
    for node in reversed(nodes):
        tops = [id(top) for top in node.tops]
        contributes = any(node.loss_weights) or not under_loss.isdisjoint(tops)
        if cut.issuperset(tops):
            node.need = False
            node.need_bottoms = [False] * len(node.bottoms)
        node.need = node.need and contributes
        what = 'needs' if node.need else 'does not need'
        logger.debug('%s %s backward computation.', node.name, what)
        for j, bottom in enumerate(node.bottoms):
            if contributes:
                under_loss.add(id(bottom))
            else:
                node.need_bottoms[j] = False
            if not node.need_bottoms[j]:
                cut.add(id(bottom))
        if force:
            node.need = True
            node.need_bottoms = [
                need or j not in node.op.fixed
                for j, need in enumerate(node.need_bottoms)
            ]
            node.need_params = [True] * len(node.blobs)
        node.op.frozen = not any(node.need_params)


def flag(nodes):
    """The forward pass: what depends on a parameter that is learned."""
    flagged = {}  # id of blob -> may carry a gradient
    for node in nodes:
        reached = [flagged.get(id(blob), False) for blob in node.bottoms]
        node.need = any(reached) or any(node.need_params)
        given = list(node.op.param.propagate_down)
        if given and len(given) != len(reached):
            raise RuntimeError(
                f"layer '{node.name}': propagate_down param must be specified "
                f'either 0 or bottom_size times ({len(given)} given for '
                f'{len(reached)} bottoms)'
            )
        node.need_bottoms = given or reached
        for top in node.tops:
            flagged[id(top)] = node.need


def allow_overwriting(nodes):
    """Lets an in-place op write over memory that nothing else reads."""
    makers = {}
    for node in nodes:
        maker = makers.get(id(node.bottoms[0])) if node.bottoms else None
        node.op.overwrite = bool(
            node.in_place and maker is not None and maker.op.overwritable
        )
        for top in node.tops:
            makers[id(top)] = node
