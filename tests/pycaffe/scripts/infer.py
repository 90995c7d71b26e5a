# segment one photo with a trained net
import numpy as np
from PIL import Image

import caffe

photo = Image.open('photo.png')
x = np.array(photo, dtype=np.float32)
x = x[:, :, ::-1]
x -= np.array((104.00698793, 116.66876762, 122.67891434))
x = x.transpose((2, 0, 1))

net = caffe.Net(
    'voc-fcn8s/deploy.prototxt', 'voc-fcn8s/fcn8s-heavy.caffemodel', caffe.TEST
)
net.blobs['data'].reshape(1, *x.shape)
net.blobs['data'].data[...] = x
net.forward()
labels = net.blobs['score'].data[0].argmax(axis=0)
np.save('labels.npy', labels.astype(np.uint8))
