"""Classifier: a net that takes images as scripts have them and gives one row
of scores per image. Caffe: python/caffe/classifier.py; spec section F.4.
"""

import numpy as np

from caffe.images import oversample as ten_crops
from caffe.images import resize_image
from caffe.net import TEST, Net
from caffe.transformer import Transformer


def transformer_for(net, mean, input_scale, raw_scale, channel_swap):
    """A Transformer for the first input of a net; None leaves a step out."""
    in_ = net.inputs[0]
    made = Transformer({in_: net.blobs[in_].data.shape})
    made.set_transpose(in_, (2, 0, 1))
    for step, value in [
        (made.set_mean, mean),
        (made.set_input_scale, input_scale),
        (made.set_raw_scale, raw_scale),
        (made.set_channel_swap, channel_swap),
    ]:
        if value is not None:
            step(in_, value)
    return made


def classify(net, pictures):
    """The first output of a net for any number of pictures.

    Takes: pictures: sequence of H x W x K
    Gives: N x ...
    """
    in_ = net.inputs[0]
    arrays = np.array(
        [net.transformer.preprocess(in_, picture) for picture in pictures],
        np.float32,
    )
    return net.forward_all(**{in_: arrays})[net.outputs[0]]


class Classifier(Net):
    """Takes: image_dims: (height, width) to which images are resized before
    they are cropped; without, the input's size. mean, input_scale, raw_scale,
    channel_swap: see Transformer."""

    def __init__(
        self,
        model_file,
        pretrained_file,
        image_dims=None,
        mean=None,
        input_scale=None,
        raw_scale=None,
        channel_swap=None,
    ):
        super().__init__(model_file, TEST, weights=pretrained_file)
        self.transformer = transformer_for(
            self, mean, input_scale, raw_scale, channel_swap
        )
        size = self.blobs[self.inputs[0]].data.shape[2:]
        self.crop_dims = np.array(size)
        self.image_dims = size if image_dims is None else tuple(image_dims)

    def predict(self, inputs, oversample=True):
        """Takes: inputs: images, H x W x K; oversample: average over ten
            crops (corners, centre, mirrored) instead of the centre alone
        Gives: N x classes
        """
        images = [resize_image(image, self.image_dims) for image in inputs]
        if oversample:
            crops = ten_crops(images, self.crop_dims)
            scores = classify(self, crops)
            return scores.reshape(len(images), 10, -1).mean(axis=1)
        down, right = (np.array(self.image_dims) - self.crop_dims) // 2
        height, width = self.crop_dims
        return classify(
            self,
            [im[down : down + height, right : right + width] for im in images],
        )
