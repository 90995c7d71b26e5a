"""Image files as Caffe sees them: C x H x W bytes, blue first. Caffe: io.cpp,
through OpenCV; here through Pillow. Not rotated by EXIF, as in OpenCV 2."""

import io
import struct
import zlib

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

UNREADABLE = (
    OSError,  # includes Pillow's UnidentifiedImageError
    SyntaxError,  # Pillow on broken PNG chunks
    EOFError,
    ValueError,
    IndexError,
    TypeError,
    KeyError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


def decode(data, color):
    """Takes: data: the bytes of a file; color: True for three channels, False
        for a grey one, None for those of the file
    Gives: C x H x W uint8
    Raises: one of UNREADABLE
    """
    image = Image.open(io.BytesIO(data))
    if color is False:
        image.draft('L', image.size)  # a JPEG's own grey, as libjpeg has it
    if image.mode.startswith('I'):  # 16 bits a pixel: keep the upper 8
        if color is None:
            raise ValueError('Image data type must be unsigned byte')
        grey = (np.asarray(image) >> 8).astype(np.uint8)[None]
        return np.repeat(grey, 3, axis=0) if color else grey
    if image.mode == 'F':
        raise ValueError('Image data type must be unsigned byte')
    transparent = 'A' in image.mode or 'transparency' in image.info
    if transparent:  # also before it becomes RGB: Pillow warns else
        image = image.convert('RGBA')
    if color is None:
        grey = image.mode in ('1', 'L')
        color = not grey
        mode = 'L' if grey else 'RGBA' if transparent else 'RGB'
    else:
        mode = 'RGB' if color else 'L'
    pixels = np.asarray(image.convert(mode))
    if not color:
        return pixels[None]
    # red, green, blue (, alpha) -> blue, green, red (, alpha)
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]].transpose(2, 0, 1)


def resize(image, height, width):
    """C x H x W uint8 to another size, as OpenCV's INTER_LINEAR: between the
    four pixels around, also where it shrinks (Pillow would average)."""
    if image.shape[1:] == (height, width):
        return image
    x = torch.from_numpy(image.astype(np.float32))[None]
    y = F.interpolate(x, (height, width), mode='bilinear', align_corners=False)
    return y[0].add_(0.5).floor_().to(torch.uint8).numpy()  # halves go up
