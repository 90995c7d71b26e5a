"""What a net looks at: images with objects, background or texture masked.

Shelhamer, Long and Darrell, PAMI 2016, table 8. What is masked how:
data/masking.py.
"""

from ast import literal_eval
from functools import partial

import networks
from ablations.study import Edit, Study
from caffe.ops.python import find_class
from data.masking import MASKS

NONE = 'none'


def mask(variant, value):
    """Says so to every data layer. Takes: value: of MASKS, or NONE"""
    found = [
        layer.python_param
        for layer in variant.layers('Python')
        if 'split' in layer.python_param.param_str
    ]
    if not found:
        raise ValueError(f'{variant.network} has no data layer to edit')
    for python in found:
        kind = find_class(python.module, python.layer, [networks.ROOT / 'data'])
        if 'mask' not in getattr(kind, 'allows', ()):
            raise ValueError(
                f'{variant.network}: {python.layer} masks nothing: that '
                'takes labels with objects before a background, as in the '
                'voc-* networks'
            )
        settings = literal_eval(python.param_str)
        changed = {**settings, 'mask': value}
        if value == NONE:
            del changed['mask']
        if changed != settings:
            python.param_str = repr(changed)


VALUES = (NONE, *MASKS)
EDITS = {
    'masking': Edit(
        'what of every image is hidden',
        NONE,
        {value: partial(mask, value=value) for value in VALUES},
    )
}
NAMES = {
    'nothing masked': {'masking': NONE},
    'objects masked': {'masking': 'foreground'},
    'background masked': {'masking': 'background'},
    'shapes alone': {'masking': 'texture'},
}
STUDY = Study(
    question='Does a net recognise objects, their surroundings, or their '
    'shapes?',
    answer='By objects first, but not only: FCN-32s has 84.8 mean IU with '
    'nothing masked; 81.0 with the background masked at test, 76.1 at '
    'training as well; 19.8 with objects masked at test, 37.8 at training as '
    'well; 29.1 with shapes alone at both (PAMI 2016, table 8, as public '
    'slides quote it: mean IU without the background class).',
    method='Every arm is learned on images masked alike, and tested on all '
    'four kinds. Masked pixels have the mean colour, void ones always; shapes '
    'alone: one flat value for objects, another for the rest. Labels stay as '
    "they are. Here mean IU has the background class, unlike the paper's: it "
    'is nearly perfect where masks show it.',
    nets=('voc-fcn32s',),
    arms=NAMES,
    tests=NAMES,
)
