"""FCN-32s on SIFT Flow: one trunk, trained on two tasks at once (section 5).
Each task has a head of its own, and the losses add up.

`python net.py` writes trainval, test and deploy.prototxt. Shapes in comments
are those of a 256 x 256 image, with C classes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from caffe import NetSpec
from nets.datasets import siftflow
from nets.heads import crop, loss, score, upsample
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
        t.upscore = upsample(t.score_fr, classes, 32)  # C x 320 x 320
        t.score = crop(t.upscore, n.data)  # C x 256 x 256
        n[loss_name] = loss(t.score, n[task])
    return n.to_proto()


if __name__ == '__main__':
    write(__file__, fcn, 'trainval', 'test', data=(1, 3, 256, 256))
