"""How fine predictions are: a pixel in 32, in 16, in 8.

Long, Shelhamer and Darrell, CVPR 2015, section 4.2 and table 2. The networks
are the arms; nothing is edited.
"""

from ablations.study import Study

STUDY = Study(
    question='What do finer strides bring, and do they have to be learned one '
    'after the other?',
    answer='Finer is better, by less each time: 59.4, 62.4 and 62.7 mean IU '
    'for strides of 32, 16 and 8 (CVPR 2015, table 2). The networks published '
    'since have 63.6, 65.0 and 65.5, and FCN-8s at once 65.4 (README of '
    'fcn.berkeleyvision.org, seg11valid).',
    method='Every network by its own recipe: 16s starts from 32s and 8s from '
    '16s, each at a hundredth of the rate before it; 8s at once starts from '
    'the classifier and has as many iterations as the three together.',
    nets=('voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s', 'voc-fcn8s-atonce'),
    arms={'as published': {}},
    published={
        ('voc-fcn32s', 'as published'): 63.6,
        ('voc-fcn16s', 'as published'): 65.0,
        ('voc-fcn8s', 'as published'): 65.5,
        ('voc-fcn8s-atonce', 'as published'): 65.4,
    },
)
