"""Upsampling layers that interpolate: FCN, section 3.3."""

import numpy as np

from surgery.transplant import params_of, sized


def upsample_filt(size):
    """The bilinear kernel. Gives: size x size array; for an even size or an
    odd one, made for upsampling by (size + 1) // 2."""
    factor = (size + 1) // 2
    centre = factor - 1 if size % 2 else factor - 0.5
    ramp = 1 - abs(np.arange(size) - centre) / factor
    return np.outer(ramp, ramp)


def interp(net, layers):
    """Makes Deconvolution layers bilinear: each channel upsamples itself.

    Only the kernels from a channel to itself are set; those between channels
    stay what they are, zero where the layer has no filler.
    """
    for layer in layers:
        weight = params_of(net, layer)[0].data
        if weight.ndim != 4:
            raise ValueError(f'{layer}: {sized(weight.shape)} is no kernel')
        inputs, outputs, height, width = weight.shape
        if outputs not in (inputs, 1):
            raise ValueError(
                f'{layer}: interpolation keeps the number of channels; this '
                f'layer turns {inputs} into {outputs}'
            )
        if height != width:
            raise ValueError(
                f'{layer}: interpolation needs a square kernel; this one is '
                f'{height} x {width}'
            )
        channels = np.arange(inputs)
        own = channels if outputs == inputs else 0  # 0: one group a channel
        weight[channels, own] = upsample_filt(height)
