"""FCN-16s on PASCAL-Context: the scores of FCN-32s, from which it starts, and
those of the finer pool4 added to them (section 4.2).

`python net.py` writes train, val and deploy.prototxt. Shapes in comments are
those of a 500 x 500 image.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import pascalcontext
from nets.heads import crop, fuse, loss, score, upsample
from nets.prototxt import write
from nets.table import stack
from nets.vgg16 import TRUNK

CLASSES = 60  # 59 kinds of things and stuff, and 0: any other


def fcn(split):
    n = NetSpec()
    n.data, n.label = pascalcontext(split)
    stack(n, n.data, TRUNK)  # fc7: 4096 x 16 x 16
    n.score_fr = score(n.fc7, CLASSES)  # 60 x 16 x 16
    n.upscore2 = upsample(n.score_fr, CLASSES, 2)  # 60 x 34 x 34
    n.score_pool4 = score(n.pool4, CLASSES)  # 60 x 44 x 44
    n.score_pool4c = crop(n.score_pool4, n.upscore2)  # 60 x 34 x 34
    n.fuse_pool4 = fuse(n.upscore2, n.score_pool4c)  # 60 x 34 x 34
    n.upscore16 = upsample(n.fuse_pool4, CLASSES, 16)  # 60 x 560 x 560
    n.score = crop(n.upscore16, n.data)  # 60 x 500 x 500
    n.loss = loss(n.score, n.label)
    return n.to_proto()


if __name__ == '__main__':
    write(__file__, fcn, 'train', 'val', data=(1, 3, 500, 500))
