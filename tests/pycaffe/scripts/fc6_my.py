# start a fully convolutional net from a classifier whose fc layers were
# renamed, so that Caffe does not try to copy what has another shape
import numpy as np

import caffe

net = caffe.Net('my.prototxt', caffe.TEST)
net.copy_from('classifier.caffemodel')
old = caffe.Net('classifier.prototxt', 'classifier.caffemodel', caffe.TEST)

for mine, theirs in [('fc6_my', 'fc6'), ('fc7_my', 'fc7'), ('fc8_my', 'fc8')]:
    for i in (0, 1):
        net.params[mine][i].data.flat = old.params[theirs][i].data.flat
    print(
        mine, net.params[mine][0].data.shape, old.params[theirs][0].data.shape
    )

out = net.forward_all(data=np.load('data.npy'))
np.save('prob.npy', out['prob'])
np.save('fc8.npy', net.blobs['fc8'].data)
