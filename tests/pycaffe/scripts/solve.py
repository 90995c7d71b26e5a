# run from inside a network directory: python solve.py [gpu]
import sys

import numpy as np

import caffe
import score
import surgery

try:
    import setproctitle

    setproctitle.setproctitle('train')
except ImportError:
    pass

if len(sys.argv) > 1:
    caffe.set_device(int(sys.argv[1]))
    caffe.set_mode_gpu()

solver = caffe.SGDSolver('solver.prototxt')

base = caffe.Net('../vgg16-fcn.prototxt', '../vgg16-fcn.caffemodel', caffe.TEST)
surgery.transplant(solver.net, base)
del base

up = [name for name in solver.net.params.keys() if 'up' in name]
surgery.interp(solver.net, up)

val = np.loadtxt('../data/pascal/seg11valid.txt', dtype=str)
for _ in range(2):
    solver.step(3)
    score.seg_tests(solver, False, val, layer='score')
solver.net.save('final.caffemodel')
