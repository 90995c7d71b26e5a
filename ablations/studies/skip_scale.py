"""The fixed scales by which FCN-8s at once brings pool4 and pool3 to the
coarse stream's magnitude.

Shelhamer, Long and Darrell, PAMI 2016; voc-fcn8s-atonce/net.py of Berkeley.
"""

from ablations.study import Edit, Study
from nets import edits


def fixed(variant):
    """As published."""
    if not any(variant.layers('Scale')):
        raise ValueError(
            f'{variant.network} has no Scale to edit; voc-fcn8s-atonce has'
        )


def without(variant):
    fixed(variant)
    for net in variant.nets.values():
        edits.without(net, 'Scale')


EDITS = {
    'skip-scale': Edit(
        'the scales of streams that start at once',
        'fixed',
        {'fixed': fixed, 'none': without},
    )
}
STUDY = Study(
    question='Does learning all streams at once need the scales of 0.01 and '
    '0.0001?',
    answer='They are there "to better condition optimization", and the '
    'network has 65.4 mean IU with them (README of fcn.berkeleyvision.org, '
    'seg11valid). No published number without them is known.',
    method='The recipe of FCN-8s at once with its Scale layers and without '
    'them: then the weights of score_pool4 and score_pool3 have gradients 100 '
    'and 10000 times as large, at the same rate.',
    nets=('voc-fcn8s-atonce',),
    arms={
        'scaled': {'skip-scale': 'fixed'},
        'not scaled': {'skip-scale': 'none'},
    },
    published={('voc-fcn8s-atonce', 'scaled'): 65.4},
)
