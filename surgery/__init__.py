"""Net surgery: moving weights between nets that are not quite alike.

Everything here is handed nets (anything with pycaffe's `.params`) or arrays,
and names the layer that does not fit. `python -m surgery` makes the trunks'
first weights from ILSVRC classifiers.
"""

from surgery.bilinear import interp, upsample_filt
from surgery.classifier import fully_convolutional
from surgery.transplant import (
    Report,
    add_inputs,
    expand_score,
    transplant,
)

__all__ = [
    'Report',
    'add_inputs',
    'expand_score',
    'fully_convolutional',
    'interp',
    'transplant',
    'upsample_filt',
]
