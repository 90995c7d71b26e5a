"""FCN-8s on SIFT Flow: adds the scores of pool3 to FCN-16s, for either task.

`python net.py` writes trainval, test and deploy.prototxt. Shapes in comments
are those of a 256 x 256 image, with C classes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import siftflow
from nets.heads import crop, fuse, loss, score, upsample
from nets.prototxt import write
from nets.table import Suffixed, stack
from nets.vgg16 import TRUNK

TASKS = ('sem', 33, 'loss'), ('geo', 3, 'loss_geo')  # label, classes, loss


def fcn(split):
    n = NetSpec()
    n.data, n.sem, n.geo = siftflow(split)
    stack(n, n.data, TRUNK)  # fc7: 4096 x 9 x 9
    for task, classes, loss_name in TASKS:
        t = Suffixed(n, f'_{task}')
        t.score_fr = score(n.fc7, classes)  # C x 9 x 9
        t.upscore2 = upsample(t.score_fr, classes, 2)  # C x 20 x 20
        t.score_pool4 = score(n.pool4, classes)  # C x 29 x 29
        t.score_pool4c = crop(t.score_pool4, t.upscore2)  # C x 20 x 20
        t.fuse_pool4 = fuse(t.upscore2, t.score_pool4c)
        t.upscore_pool4 = upsample(t.fuse_pool4, classes, 2)  # C x 42 x 42
        t.score_pool3 = score(n.pool3, classes)  # C x 57 x 57
        t.score_pool3c = crop(t.score_pool3, t.upscore_pool4)
        t.fuse_pool3 = fuse(t.upscore_pool4, t.score_pool3c)
        t.upscore8 = upsample(t.fuse_pool3, classes, 8)  # C x 344 x 344
        t.score = crop(t.upscore8, n.data)  # C x 256 x 256
        n[loss_name] = loss(t.score, n[task])
    return n.to_proto()


if __name__ == '__main__':
    write(__file__, fcn, 'trainval', 'test', data=(1, 3, 256, 256))
