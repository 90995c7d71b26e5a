"""Fixed or learned upsampling: what the interpolation layers may become.

Long, Shelhamer and Darrell, CVPR 2015, section 3.3: upsampling is
deconvolution, which "need not be fixed [...] but can be learned".
"""

from ablations.study import Edit, Study


def layers(variant):
    found = list(variant.layers('Deconvolution'))
    if not found:
        raise ValueError(f'{variant.network} has no Deconvolution to edit')
    return found


def fixed(variant):
    """As published: no filler, so that a run makes them bilinear."""
    for layer in layers(variant):
        multiplier(layer, 0)


def learned(variant):
    for layer in layers(variant):
        multiplier(layer, 1)


def from_random(variant):
    """A filler is what a run leaves alone."""
    for layer in layers(variant):
        multiplier(layer, 1)
        layer.convolution_param.weight_filler.type = 'xavier'


def depthwise(variant):
    """A kernel for each class and none between classes; learned."""
    for layer in layers(variant):
        multiplier(layer, 1)
        layer.convolution_param.group = layer.convolution_param.num_output


def multiplier(layer, value):
    del layer.param[:]
    layer.param.add(lr_mult=value)


EDITS = {
    'upsampling': Edit(
        'what becomes of the interpolation layers',
        'fixed',
        {
            'fixed': fixed,
            'learned': learned,
            'random': from_random,
            'depthwise': depthwise,
        },
    )
}
STUDY = Study(
    question='Does learning the upsampling help, against fixed bilinear?',
    answer='Learned in the papers except for the last layer; the published '
    'networks fix all of it, since learning it made no significant '
    'difference (README of fcn.berkeleyvision.org).',
    method='Every arm is the whole staged recipe; only the interpolation '
    'layers differ: fixed at bilinear kernels; learned from them with '
    'lr_mult 1; learned from random ones; learned from bilinear ones with a '
    'kernel for each class and none between classes.',
    nets=('voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s'),
    arms={
        'fixed': {'upsampling': 'fixed'},
        'learned': {'upsampling': 'learned'},
        'random': {'upsampling': 'random'},
        'depthwise': {'upsampling': 'depthwise'},
    },
    kernels=True,
)
