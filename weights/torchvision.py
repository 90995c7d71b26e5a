"""torchvision's VGG-16 and AlexNet checkpoints under Caffe's layer names.

torchvision shows a net RGB images, scaled to 0..1, minus a mean, divided by a
standard deviation; Caffe shows it BGR, 0..255, minus a mean. The difference is
linear in each channel, so the first convolution's weights and bias take it in.
That is exact for every window inside the image. At its edge it is not: both
pad with zeros, which stand for torchvision's mean there and for Caffe's here,
colours that differ by at most 1 of 255.
Facts used: the names and shapes of the checkpoints, the two constants below.
"""

import numpy as np

from nets.datasets import MEAN_BGR

MEAN_RGB = (0.485, 0.456, 0.406)  # of images in 0..1
STD_RGB = (0.229, 0.224, 0.225)

FC = ('fc6', 'fc7', 'fc8')
VGG16 = dict(
    zip(
        [f'features.{i}' for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26)]
        + ['features.28', 'classifier.0', 'classifier.3', 'classifier.6'],
        ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1', 'conv3_2']
        + ['conv3_3', 'conv4_1', 'conv4_2', 'conv4_3', 'conv5_1', 'conv5_2']
        + ['conv5_3', *FC],
    )
)
ALEXNET = dict(
    zip(
        ['features.0', 'features.3', 'features.6', 'features.8', 'features.10']
        + ['classifier.1', 'classifier.4', 'classifier.6'],
        ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', *FC],
    )
)
EXACT = (
    'the first layer takes BGR, 0..255, minus the mean '
    f'{MEAN_BGR} now; that is exact away from the zero padding at the edge of '
    'the image (windows that reach into it see a colour that is off by up to '
    '1 of 255)'
)
OTHER = (
    "torchvision's AlexNet is not CaffeNet: 64 filters in conv1, no groups, no "
    'normalisation; no network here takes these weights'
)


def from_torchvision(layers, path):
    """Takes: layers: {layer: {index: array}} of a state dict
    Gives: the same under Caffe's names, and lines to tell; None if the names
        are not torchvision's
    """
    if not any(name.startswith('features.') for name in layers):
        return None
    table = next((t for t in (VGG16, ALEXNET) if set(t) == set(layers)), None)
    if table is None:
        raise ValueError(
            f"{path} has torchvision's kind of names, but is neither its "
            f'VGG-16 (without batch normalisation) nor its AlexNet: '
            f'{", ".join(list(layers)[:4])}, ... {len(layers)} layers'
        )
    renamed = {table[name]: dict(layers[name]) for name in table}
    first = renamed[table['features.0']]
    first.update(enumerate(to_bgr(first[0], first[1])))
    return renamed, [EXACT, OTHER] if table is ALEXNET else [EXACT]


def to_bgr(weight, bias):
    """The same filters for an image y in BGR, 0..255, minus MEAN_BGR.

    Takes: weight: O x 3 x k x k, bias: O, for (rgb / 255 - mean) / std, which
        is y / (255 std) + (MEAN / 255 - mean) / std in each channel
    Gives: weight, bias
    """
    wide = weight.astype(np.float64)
    std = np.array(STD_RGB)
    shift = (np.array(MEAN_BGR[::-1]) / 255 - MEAN_RGB) / std
    moved = bias + np.einsum('ocij,c->o', wide, shift)
    scaled = wide / (255 * std)[:, None, None]
    return (
        np.ascontiguousarray(scaled[:, ::-1]).astype(weight.dtype),
        moved.astype(bias.dtype),
    )
