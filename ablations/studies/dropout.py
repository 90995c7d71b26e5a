"""Dropout in fc6 and fc7, which fine-tuning keeps from the classifier.

Long, Shelhamer and Darrell, CVPR 2015, section 4.3.
"""

from ablations.study import AS_PUBLISHED, Edit, Study
from nets import edits


def dropout(variant, ratio):
    """Takes: ratio: of the values that are dropped; 0: no Dropout layers,
    since Caffe's has to drop something"""
    found = list(variant.layers('Dropout'))
    if not found:
        raise ValueError(f'{variant.network} has no Dropout to edit')
    if not 0 <= ratio < 1:
        raise ValueError(
            f'{variant.network}: dropout={ratio:g}: a ratio is at least 0 '
            'and below 1'
        )
    for layer in found:
        layer.dropout_param.dropout_ratio = ratio
    if not ratio:
        for net in variant.nets.values():
            edits.without(net, 'Dropout')


EDITS = {
    'dropout': Edit(
        'ratio of all Dropout layers, 0.5 in the fifteen networks',
        AS_PUBLISHED,
        dropout,
    )
}
STUDY = Study(
    question='Does fine-tuning need dropout?',
    answer='It is kept "where used in the original classifier nets" (CVPR '
    '2015, section 4.3), at 0.5. No published number without it is known.',
    method='The same recipe with dropout ratios of 0.5, as published, of 0.25 '
    'and without Dropout layers. In slim networks, which have few units to '
    'spare, half of them is more than in the published ones.',
    nets=('voc-fcn32s',),
    arms={
        'half': {'dropout': '0.5'},
        'a quarter': {'dropout': '0.25'},
        'none': {'dropout': '0'},
    },
)
