"""Transformer: an image as a script has it (H x W x K, RGB, 0 to 1) as a net
wants it (K x H x W, BGR, 0 to 255, minus the mean), and back.

Caffe: python/caffe/io.py; spec section F.3. Every step is off until it is set.
"""

import numpy as np

from caffe.images import resize_image


class Transformer:
    """Takes: inputs: name of a net's input -> its shape (N, K, H, W)"""

    def __init__(self, inputs):
        self.inputs = inputs
        self.transpose = {}
        self.channel_swap = {}
        self.raw_scale = {}
        self.mean = {}
        self.input_scale = {}

    def preprocess(self, in_, data):
        """Takes: data: H x W x K. Gives: K x H x W float32

        Resizes, moves axes, swaps channels, scales, takes the mean off, scales
        again. As in Caffe, float32 data that no step had to copy are changed
        in place.
        """
        self._must_know(in_)
        out = np.asarray(data).astype(np.float32, copy=False)
        size = tuple(self.inputs[in_][2:])
        if out.shape[:2] != size:
            out = resize_image(out, size)
        if in_ in self.transpose:
            out = out.transpose(self.transpose[in_])
        if in_ in self.channel_swap:
            out = out[list(self.channel_swap[in_])]
        if in_ in self.raw_scale:
            out *= self.raw_scale[in_]
        if in_ in self.mean:
            out -= self.mean[in_]
        if in_ in self.input_scale:
            out *= self.input_scale[in_]
        return out

    def deprocess(self, in_, data):
        """The steps undone in reverse order, but for the resizing."""
        self._must_know(in_)
        out = np.array(data).squeeze()
        if in_ in self.input_scale:
            out /= self.input_scale[in_]
        if in_ in self.mean:
            out += self.mean[in_]
        if in_ in self.raw_scale:
            out /= self.raw_scale[in_]
        if in_ in self.channel_swap:
            out = out[np.argsort(self.channel_swap[in_])]
        if in_ in self.transpose:
            out = out.transpose(np.argsort(self.transpose[in_]))
        return out

    # steps ------------------------------------------------------------------

    def set_transpose(self, in_, order):
        """Takes: order: of H x W x K; (2, 0, 1) gives K x H x W"""
        self._must_know(in_)
        axes = len(self.inputs[in_]) - 1
        if len(order) != axes:
            raise Exception(
                f'{in_}: the transpose order {tuple(order)} must name all '
                f'{axes} axes of the input'
            )
        self.transpose[in_] = order

    def set_channel_swap(self, in_, order):
        """Takes: order: (2, 1, 0) turns RGB into BGR"""
        self._must_know(in_)
        channels = self.inputs[in_][1]
        if len(order) != channels:
            raise Exception(
                f'{in_}: the channel swap {tuple(order)} must have as many '
                f'entries as the input has channels, {channels}'
            )
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_, scale):
        """A factor before the mean: 255 for images from 0 to 1."""
        self._must_know(in_)
        self.raw_scale[in_] = scale

    def set_mean(self, in_, mean):
        """Takes: mean: one number per channel; or K x H x W, or H x W for all
        channels, which is resized to the input's size"""
        self._must_know(in_)
        mean = np.asarray(mean)
        channels, *size = self.inputs[in_][1:]
        if mean.ndim not in (1, 2, 3):
            raise ValueError(f'Mean shape invalid: {mean.shape}')
        one_for_all = mean.ndim == 2 or mean.ndim == 3 and len(mean) == 1
        if not one_for_all and len(mean) != channels:
            raise ValueError(
                'Mean channels incompatible with input. '
                f'({len(mean)} vs. {channels})'
            )
        if mean.ndim == 1:
            mean = mean[:, None, None]
        elif mean.shape[-2:] != tuple(size):
            planes = mean[None] if mean.ndim == 2 else mean
            mean = resized(planes, size)
        self.mean[in_] = mean

    def set_input_scale(self, in_, scale):
        """A factor after the mean."""
        self._must_know(in_)
        self.input_scale[in_] = scale

    def _must_know(self, in_):
        if in_ not in self.inputs:
            raise Exception(
                f'{in_} is not one of the net inputs: {self.inputs}'
            )


def resized(mean, size):
    """K x H x W at another size, by way of numbers from 0 to 1."""
    low, span = mean.min(), np.ptp(mean)
    normal = (mean - low) / (span or 1)
    planes = resize_image(normal.transpose(1, 2, 0), size)
    return planes.transpose(2, 0, 1) * span + low
