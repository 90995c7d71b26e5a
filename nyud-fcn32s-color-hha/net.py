"""FCN-32s on NYUDv2, late fusion: a whole net for colour and one for HHA, whose
scores are averaged (section 5, table 4: RGB-HHA). Starts from both.

`python net.py` writes trainval, test and deploy.prototxt. Shapes in comments
are those of a 425 x 560 image.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import nyud
from nets.heads import crop, fuse, loss, score, upsample
from nets.prototxt import write
from nets.table import Suffixed, stack
from nets.vgg16 import TRUNK

CLASSES = 40  # kinds of things and surfaces; no background


def fcn(split):
    n = NetSpec()
    n.color, n.hha, n.label = nyud(split, 'color', 'hha')
    for image in ('color', 'hha'):
        half = Suffixed(n, image)
        stack(half, n[image], TRUNK)  # fc7color: 4096 x 14 x 18
        half.score_fr = score(half.fc7, CLASSES)  # 40 x 14 x 18
    n.score_fused = fuse(n.score_frcolor, n.score_frhha, coeff=[0.5, 0.5])
    n.upscore = upsample(n.score_fused, CLASSES, 32)  # 40 x 480 x 608
    n.score = crop(n.upscore, n.color)  # 40 x 425 x 560
    n.loss = loss(n.score, n.label)
    return n.to_proto()


if __name__ == '__main__':
    write(
        __file__,
        fcn,
        'trainval',
        'test',
        color=(1, 3, 425, 560),
        hha=(1, 3, 425, 560),
    )
