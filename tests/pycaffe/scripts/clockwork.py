# deep stages run on fewer frames than shallow ones
import numpy as np

import caffe

frame = np.load('frame.npy')
net = caffe.Net('stages.prototxt', caffe.TEST, weights='stages.caffemodel')
net.blobs['data'].reshape(*frame.shape)
net.reshape()

# the first frame goes through everything
net.blobs['data'].data[...] = frame[..., ::-1]
net.forward()
late = net.blobs['upscore_pool4'].data.copy()

# of the second only the shallow stream
net.blobs['data'].data[...] = frame
net.forward(end='pool3')
out = net.forward(start='score_pool3', end='score', blobs=['fuse_pool3'])
assert sorted(out) == ['fuse_pool3', 'score']
assert (net.blobs['upscore_pool4'].data == late).all()
np.save('mixed.npy', out['score'])

# then the deep one catches up
net.forward(start='conv4_1', end='upscore_pool4')
out = net.forward(start='score_pool3', end='score')
np.save('whole.npy', out['score'])
