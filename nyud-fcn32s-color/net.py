"""FCN-32s on NYUDv2 from colour alone (section 5, table 4: RGB). One half of
nyud-fcn32s-color-hha.

`python net.py` writes trainval, test and deploy.prototxt. Shapes in comments
are those of a 425 x 560 image.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import nyud
from nets.heads import crop, loss, score, upsample
from nets.prototxt import write
from nets.table import stack
from nets.vgg16 import TRUNK

CLASSES = 40  # kinds of things and surfaces; no background


def fcn(split):
    n = NetSpec()
    n.data, n.label = nyud(split, 'color')
    stack(n, n.data, TRUNK)  # fc7: 4096 x 14 x 18
    n.score_fr = score(n.fc7, CLASSES)  # 40 x 14 x 18
    n.upscore = upsample(n.score_fr, CLASSES, 32)  # 40 x 480 x 608
    n.score = crop(n.upscore, n.data)  # 40 x 425 x 560
    n.loss = loss(n.score, n.label)
    return n.to_proto()


if __name__ == '__main__':
    write(__file__, fcn, 'trainval', 'test', data=(1, 3, 425, 560))
