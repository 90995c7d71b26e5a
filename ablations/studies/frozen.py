"""Fine-tuning all of a classifier, or only the layers that score.

Long, Shelhamer and Darrell, CVPR 2015, section 4.3 and table 2
(FCN-32s-fixed).
"""

from ablations.study import Edit, Study

# A weight and, if its bias_term says so, a bias.
OPTIONS = {
    'Convolution': 'convolution_param',
    'Deconvolution': 'convolution_param',
    'InnerProduct': 'inner_product_param',
    'Scale': 'scale_param',
}


def trunk(variant):
    """Everything keeps its weights but the layers that score; decay, too,
    goes by lr_mult. A frozen layer computes no gradients."""
    found = list(variant.layers(*OPTIONS))
    scores = [layer for layer in found if layer.name.startswith('score')]
    if not scores or len(scores) == len(found):
        raise ValueError(
            f'{variant.network} has no layer called score..., or no other: '
            'there is nothing to freeze'
        )
    for layer in found:
        if not layer.name.startswith('score'):
            options = getattr(layer, OPTIONS[layer.type])
            while len(layer.param) < 1 + options.bias_term:
                layer.param.add()
            for param in layer.param:
                param.lr_mult = 0


def nothing(variant):
    """As published."""


EDITS = {
    'frozen': Edit(
        'what keeps the weights it starts from',
        'nothing',
        {'nothing': nothing, 'trunk': trunk},
    )
}
STUDY = Study(
    question='How much of the result is in the classifier already?',
    answer='Learning only the last layer gives 45.4 mean IU, learning all of '
    'them 59.4 (CVPR 2015, table 2: FCN-32s-fixed and FCN-32s, trained in '
    'batches of 20).',
    method='The same recipe; frozen: lr_mult 0 everywhere but in the layers '
    'that score, which begin at zero in both arms.',
    nets=('voc-fcn32s',),
    arms={'all': {'frozen': 'nothing'}, 'scores alone': {'frozen': 'trunk'}},
    published={
        ('voc-fcn32s', 'all'): 59.4,
        ('voc-fcn32s', 'scores alone'): 45.4,
    },
)
