"""From a NetParameter to the layers that will really run: which ones the
state includes, and where a Split goes. Messages in, messages out.

Caffe: net.cpp FilterNet, StateMeetsRule; insert_splits.cpp.
"""

from collections import Counter

from caffe.proto import caffe_pb2 as pb


def filter_net(param):
    """Keeps the layers that `param.state` includes."""
    kept = pb.NetParameter()
    kept.CopyFrom(param)
    del kept.layer[:]
    kept.layer.extend(x for x in param.layer if included(x, param.state))
    return kept


def included(layer, state):
    if layer.include and layer.exclude:
        raise RuntimeError(
            f"layer '{layer.name}': Specify either include rules or exclude "
            'rules; not both.'
        )
    if layer.include:
        return any(meets(state, rule) for rule in layer.include)
    return not any(meets(state, rule) for rule in layer.exclude)


def meets(state, rule):
    """True if the NetState satisfies every condition of the NetStateRule."""
    stages = set(state.stage)
    return (
        (not rule.HasField('phase') or rule.phase == state.phase)
        and (not rule.HasField('min_level') or state.level >= rule.min_level)
        and (not rule.HasField('max_level') or state.level <= rule.max_level)
        and stages.issuperset(rule.stage)
        and stages.isdisjoint(rule.not_stage)
    )


def insert_splits(param):
    """Puts a Split behind every top that more than one bottom reads, so that
    each blob has one reader and gradients have one place to be added up.

    A top with an explicit loss weight counts as read once more.
    Raises: RuntimeError for a bottom that no earlier layer makes
    """
    sources, readers = read_counts(param)
    out = pb.NetParameter()
    out.CopyFrom(param)
    del out.layer[:]
    used = Counter()
    for i, layer in enumerate(param.layer):
        copy = out.layer.add()
        copy.CopyFrom(layer)
        for j, blob in enumerate(layer.bottom):
            top = sources[i, j]
            if readers[top] > 1:
                producer = param.layer[top[0]].name
                copy.bottom[j] = split_name(producer, blob, top[1], used[top])
                used[top] += 1
        for j, blob in enumerate(layer.top):
            if readers[i, j] > 1:
                weight = _weight(layer, j)
                split = out.layer.add(type='Split', bottom=[blob])
                split.name = split_name(layer.name, blob, j)
                split.top.extend(
                    split_name(layer.name, blob, j, k)
                    for k in range(readers[i, j])
                )
                if weight:
                    split.loss_weight.append(weight)
                    split.loss_weight.extend([0] * (readers[i, j] - 1))
                    copy.ClearField('loss_weight')
                    used[i, j] += 1  # top 0 carries the loss
    return out


def read_counts(param):
    """Who makes what each bottom reads, and how often each top is read.

    Gives: {(layer, bottom index): (layer, top index)},
           Counter of (layer, top index)
    """
    newest, sources, readers = {}, {}, Counter()
    for i, layer in enumerate(param.layer):
        for j, blob in enumerate(layer.bottom):
            if blob not in newest:
                raise RuntimeError(
                    f"Unknown bottom blob '{blob}' (layer '{layer.name}', "
                    f'bottom index {j})'
                )
            sources[i, j] = newest[blob]
            readers[newest[blob]] += 1
        for j, blob in enumerate(layer.top):
            newest[blob] = i, j
            readers[i, j] += bool(_weight(layer, j))
    return sources, readers


def _weight(layer, index):
    weights = layer.loss_weight
    return weights[index] if index < len(weights) else 0.0


def split_name(layer, blob, top, copy=None):
    name = f'{blob}_{layer}_{top}_split'
    return name if copy is None else f'{name}_{copy}'
