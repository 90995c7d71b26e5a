"""Images as pycaffe's scripts load, resize and crop them: H x W x K float32
arrays, RGB, 0 to 1.

Caffe: python/caffe/io.py over scikit-image; spec section F.3. Here Pillow
reads and scipy resizes. As the scikit-image of Caffe's time, and unlike that
from 0.15 on, shrinking does not blur first. Not here: images turned by their
EXIF orientation (scikit-image did not turn them either).
"""

import numpy as np

GREY = (0.2125, 0.7154, 0.0721)  # scikit-image's rgb2gray
READ_AS_THEY_ARE = ('1', 'L', 'LA', 'RGB', 'RGBA', 'I', 'I;16', 'I;16B', 'F')


def load_image(filename, color=True):
    """Gives: H x W x 3, grey images three times the same and transparency
    dropped; color=False: H x W x 1"""
    from PIL import Image

    with Image.open(filename) as image:
        if image.mode in ('P', 'PA'):
            image = image.convert('RGBA')  # RGB would warn of what it drops
        elif image.mode not in READ_AS_THEY_ARE:
            image = image.convert('RGB')
        pixels = unit(np.asarray(image))
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] in (2, 4):  # the last channel is transparency
        pixels = pixels[:, :, :-1]
    if color:
        return np.tile(pixels, (1, 1, 3 // pixels.shape[2]))
    return pixels if pixels.shape[2] == 1 else (pixels @ weights())[:, :, None]


def unit(pixels):
    """Pixels of any type as float32, whole numbers from 0 to 1."""
    if pixels.dtype == np.int32:  # how Pillow gives 16 bits
        pixels = pixels.astype(np.uint16)
    if pixels.dtype.kind == 'u':
        return (pixels / np.iinfo(pixels.dtype).max).astype(np.float32)
    return pixels.astype(np.float32)


def weights():
    return np.array(GREY, np.float32)


def resize_image(im, new_dims, interp_order=1):
    """Takes: im: H x W x K; new_dims: (height, width); interp_order: of the
        spline, 0 nearest, 1 linear
    Gives: height x width x K float32

    With 1 or 3 channels pixels are areas, and what lies outside counts as the
    image's minimum, so borders fade to it; with other K the corner pixels
    stay in the corners. So it is in Caffe.
    """
    height, width = (int(size) for size in new_dims)
    if im.shape[-1] not in (1, 3):
        return zoom(im, height, width, interp_order).astype(np.float32)
    low, high = float(im.min()), float(im.max())
    if not high > low:
        return np.full((height, width, im.shape[-1]), low, np.float32)
    normal = (im.astype(np.float64) - low) / (high - low)
    resized = zoom(
        normal,
        height,
        width,
        interp_order,
        mode='grid-constant',
        grid_mode=True,
    )
    if interp_order > 1:  # a spline overshoots
        resized = resized.clip(0, 1)
    return (resized * (high - low) + low).astype(np.float32)


def zoom(im, height, width, order, **more):
    from scipy import ndimage

    factors = height / im.shape[0], width / im.shape[1], 1
    return ndimage.zoom(im, factors, order=order, **more)


def oversample(images, crop_dims):
    """Crops each image ten times: the corners, row by row, the centre, and
    the same five mirrored.

    Takes: images: of one size, H x W x K; crop_dims: (height, width)
    Gives: 10 N x height x width x K float32
    """
    images = [np.asarray(image) for image in images]
    rows, columns, channels = images[0].shape
    height, width = (int(size) for size in crop_dims)
    if height > rows or width > columns:
        raise ValueError(
            f'crops of {height} x {width} do not fit into images of '
            f'{rows} x {columns}'
        )
    down, right = rows - height, columns - width
    starts = [(0, 0), (0, right), (down, 0), (down, right)]
    starts.append((down // 2, right // 2))
    crops = np.empty((10 * len(images), height, width, channels), np.float32)
    for n, image in enumerate(images):
        for k, (y, x) in enumerate(starts, 10 * n):
            crops[k] = image[y : y + height, x : x + width]
            crops[k + 5] = crops[k, :, ::-1]
    return crops
