# FCN score of generated street scenes: accuracies and IoU against labels
import argparse
import os

import numpy as np
from PIL import Image

import caffe

parser = argparse.ArgumentParser()
parser.add_argument('--results', required=True)
parser.add_argument('--model', default='caffemodel')
args = parser.parse_args()
CLASSES = 21


def counts(truth, guess):
    keep = (truth >= 0) & (truth < CLASSES)
    joint = CLASSES * truth[keep].astype(int) + guess[keep]
    return np.bincount(joint, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def segment(net, image):
    net.blobs['data'].reshape(1, 3, image.shape[0], image.shape[1])
    bgr = image[:, :, ::-1].astype(np.float32)
    bgr -= np.array((72.78044, 83.21195, 73.45286))
    net.blobs['data'].data[...] = bgr.transpose((2, 0, 1))
    net.forward()
    return net.blobs['score'].data[0].argmax(axis=0).astype(np.int64)


caffe.set_mode_cpu()
net = caffe.Net(
    args.model + '/deploy.prototxt',
    args.model + '/fcn-8s.caffemodel',
    caffe.TEST,
)
hist = np.zeros((CLASSES, CLASSES))
for name in sorted(os.listdir(args.results)):
    if not name.endswith('_fake.png'):
        continue
    path = os.path.join(args.results, name)
    truth = np.array(Image.open(path.replace('_fake', '_labels')))
    guess = segment(net, np.array(Image.open(path)))
    hist += counts(truth.flatten(), guess.flatten())

right = np.diag(hist)
rows, columns = hist.sum(1), hist.sum(0)
with np.errstate(divide='ignore', invalid='ignore'):
    accuracy, iou = right / rows, right / (rows + columns - right)
print('pixel %.6f' % (right.sum() / hist.sum()))  # noqa: UP031
print('class %.6f' % np.nanmean(accuracy))  # noqa: UP031
print('iou %.6f' % np.nanmean(iou))  # noqa: UP031
