"""How streams become one: their sum, or the greater of the two.

Long, Shelhamer and Darrell, CVPR 2015, section 4.2, footnote 6.
"""

from ablations.study import Edit, Study
from caffe.proto import caffe_pb2 as pb


def total(variant):
    """As published."""
    for layer in fusions(variant):
        layer.eltwise_param.operation = pb.EltwiseParameter.SUM


def maximum(variant):
    for layer in fusions(variant):
        options = layer.eltwise_param
        if options.coeff:
            factors = ', '.join(f'{x:g}' for x in options.coeff)
            raise ValueError(
                f"{variant.network}: layer '{layer.name}' adds its bottoms "
                f'times {factors}; a maximum has no coefficients'
            )
        options.operation = pb.EltwiseParameter.MAX


def fusions(variant):
    found = list(variant.layers('Eltwise'))
    if not found:
        raise ValueError(
            f'{variant.network} has one stream, no Eltwise that fuses two'
        )
    return found


EDITS = {
    'fusion': Edit(
        'what becomes of streams where they meet',
        'sum',
        {'sum': total, 'max': maximum},
    )
}
STUDY = Study(
    question='Should streams be added up, or the greater score be taken?',
    answer='Added up: the maximum "made learning difficult due to gradient '
    'switching" (CVPR 2015, footnote 6, which gives no number).',
    method='FCN-8s at once, whose streams meet while all of them learn, with '
    'Eltwise SUM or MAX. All begin at zero; a maximum hides the lesser score '
    'and gives it no gradient.',
    nets=('voc-fcn8s-atonce',),
    arms={'sum': {'fusion': 'sum'}, 'max': {'fusion': 'max'}},
)
