"""FCN-32s on PASCAL-Context, whose labels cover whole scenes, things and stuff
(arXiv version of the paper, table 6): the net of VOC with more classes.

`python net.py` writes train, val and deploy.prototxt. Shapes in comments are
those of a 500 x 500 image.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import pascalcontext
from nets.heads import crop, loss, score, upsample
from nets.prototxt import write
from nets.table import stack
from nets.vgg16 import TRUNK

CLASSES = 60  # 59 kinds of things and stuff, and 0: any other


def fcn(split):
    n = NetSpec()
    n.data, n.label = pascalcontext(split)
    stack(n, n.data, TRUNK)  # fc7: 4096 x 16 x 16
    n.score_fr = score(n.fc7, CLASSES)  # 60 x 16 x 16
    n.upscore = upsample(n.score_fr, CLASSES, 32)  # 60 x 544 x 544
    n.score = crop(n.upscore, n.data)  # 60 x 500 x 500
    n.loss = loss(n.score, n.label)
    return n.to_proto()


if __name__ == '__main__':
    write(__file__, fcn, 'train', 'val', data=(1, 3, 500, 500))
