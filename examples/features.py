"""Features of images: what a layer in the middle of a net says about them.

    python examples/features.py deploy.prototxt weights.caffemodel fc7 \\
        features.npy image.jpg ...

Each image is prepared by a Transformer (resized, BGR, 0 to 255, minus the
mean of ImageNet) and goes through the net up to the named layer, and no
further: forward(end=...). Of a layer followed by others in place, as fc7 is
by relu7, name the last one for what the next layer sees. pycaffe only: runs
under BVLC Caffe as well.
"""

import sys

import numpy as np

import caffe

MEAN_BGR = np.array([104.00699, 116.66877, 122.67892])


def transformer(net):
    name = net.inputs[0]
    made = caffe.io.Transformer({name: net.blobs[name].data.shape})
    made.set_transpose(name, (2, 0, 1))  # H x W x K -> K x H x W
    made.set_channel_swap(name, (2, 1, 0))  # RGB -> BGR
    made.set_raw_scale(name, 255)  # 0..1 -> 0..255
    made.set_mean(name, MEAN_BGR)
    return made


def features(net, layer, images):
    """Gives: a row for each image file"""
    name = net.inputs[0]
    prepare = transformer(net)
    shape = net.blobs[name].data.shape
    net.blobs[name].reshape(1, *shape[1:])  # one image at a time
    rows = []
    for image in images:
        pixels = caffe.io.load_image(image)
        net.blobs[name].data[0] = prepare.preprocess(name, pixels)
        (top,) = net.forward(end=layer).values()
        rows.append(top[0].copy())  # a view: the next pass changes it
    return np.array(rows)


def main(definition, weights, layer, out, *images):
    net = caffe.Net(definition, weights, caffe.TEST)
    found = features(net, layer, images)
    np.save(out, found)
    print(f'{out}:', ' x '.join(map(str, found.shape)))


if __name__ == '__main__':
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
