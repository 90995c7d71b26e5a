"""Images of which their labels leave only a part: what does a net look at,
objects, their surroundings, or shapes?

Shelhamer, Long and Darrell, PAMI 2016, table 8, asks it of FCN-32s. Masked
pixels have the mean colour, 0 in the net, as in the padding around an image.
Not here: labels, which stay as they are.
"""

import numpy as np

from data.classes import VOID

MASKS = ('foreground', 'background', 'texture')
SHAPE = np.float32(100)  # grey levels above the mean


def masked(data, label, mask):
    """Masks one part of an image:
      foreground   every object; only what is labelled background is left
      background   all but objects
      texture      both: objects are SHAPE, one for all classes, the rest 0
    Void, the seam around objects, belongs to neither and is masked always: it
    would show the outline of what is hidden. In `texture` it is no object.

    Takes: data: C x H x W float32, minus the mean; label: H x W, 0 =
        background, 255 = void; mask: one of MASKS
    Gives: a new array of data's shape
    """
    objects = (label != 0) & (label != VOID)
    if mask == 'texture':
        return np.broadcast_to(objects * SHAPE, data.shape).astype(np.float32)
    left = objects if mask == 'background' else label == 0
    return np.where(left, data, np.float32(0))
