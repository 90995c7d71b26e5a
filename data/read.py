"""One image or label file in, one array out, or an error that says what to do.

What Berkeley's data layers accept: ../voc-*/train.prototxt and the VOC and
SBD development kits. An image is taken as its pixels lie in the file (no
rotation by EXIF, as in the original); grey, palette, CMYK and transparent
ones become RGB. Not here: resizing, cropping, mirroring: nets see images at
their own size.
"""

import struct
import zlib
from glob import escape
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from data.classes import VOID

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
    MatReadError,
    Image.DecompressionBombError,
)


def read_image(path):
    """Gives: H x W x 3 uint8, red first"""
    image = _open(path, 'image')
    if image.mode.startswith('I'):  # 16 bits a pixel: keep the upper 8
        deep = np.asarray(image)
        grey = (deep >> 8 if deep.max() > 255 else deep).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode == 'F':
        raise ValueError(
            f'{path}: floating point pixels; save it as an 8-bit JPEG or PNG'
        )
    if 'transparency' in image.info:  # as its own mode first: Pillow warns else
        image = image.convert('RGBA')
    return np.asarray(image.convert('RGB'))


def read_channels(path):
    """Three channels that are no colours, in the order of the file.

    Gives: H x W x 3 uint8
    """
    image = _open(path, 'image')
    if image.mode != 'RGB':
        raise ValueError(
            f'{path}: an {image.mode} image; three channels of 8 bits are '
            f'needed. Make it anew from its source, do not convert it'
        )
    return np.asarray(image)


def read_depth(path):
    """Gives: H x W uint16, as in the file; NYUDv2's are in millimetres"""
    image = _open(path, 'depth image')
    if not image.mode.startswith('I'):
        raise ValueError(
            f'{path}: an {image.mode} image; depth is one channel of 16 bits, '
            f'in millimetres. A picture of it in grey or colours will not do'
        )
    return np.asarray(image).astype(np.uint16)


def read_palette(path):
    """A VOC label: the indices of a palette PNG (8-bit grey does as well).

    Gives: H x W uint8
    """
    image = _open(path, 'label')
    command = f'`python -m data palette {path}`'
    if image.mode == 'P':
        return np.asarray(image)
    if image.mode == '1':
        raise ValueError(
            _two_valued(path, 'black and white', image.histogram())
        )
    if image.mode != 'L':
        raise ValueError(
            f'{path}: an {image.mode} image, not a label: a label holds one '
            f'class index per pixel. If it is painted in VOC colours, '
            f'{command} turns it into one'
        )
    label = np.asarray(image)
    if label.max() == VOID and not ((label > 0) & (label < VOID)).any():
        raise ValueError(_two_valued(path, '0/255', image.histogram()))
    return label


def _two_valued(path, kind, histogram):
    return (
        f'{path}: a {kind} mask, not a label ({histogram[VOID]} pixels are '
        f'255, which means void: a net would learn background only). If white '
        f'stands for class C, `python -m data palette --foreground C {path}` '
        f'turns it into a label; if it does mean void, leave --foreground out'
    )


def load_mat(path):
    """What a MATLAB file holds: {name: value}"""
    _exists(path, 'label')
    try:
        return loadmat(path)
    except NotImplementedError:
        raise ValueError(
            f'{path}: a MATLAB 7.3 file; the datasets come as MATLAB 5. In '
            f'MATLAB, load it and save(file, ..., "-v7") what it holds'
        ) from None
    except UNREADABLE as error:
        raise ValueError(_broken(path, 'label', error)) from error


def read_mat(path, key, field):
    """A MATLAB label: {key}(1).{field}, as SBD keeps it.

    Gives: H x W uint8
    """
    content = load_mat(path)
    try:
        label = content[key][0][field][0]
    except (KeyError, IndexError, ValueError):
        names = [name for name in content if not name.startswith('__')]
        raise ValueError(
            f'{path}: no {key}(1).{field} in it (it has '
            f'{", ".join(names) or "nothing"}); SBD keeps class labels in '
            f'cls/, instances in inst/'
        ) from None
    if label.ndim != 2 or label.dtype.kind not in 'uif':
        raise ValueError(
            f'{path}: {key}(1).{field} is {label.dtype} of shape '
            f'{label.shape}, not an H x W array of class indices'
        )
    strange = (label < 0) | (label > 255) | (label != np.floor(label))
    if strange.any():
        raise ValueError(
            f'{path}: value {label[strange][0]:g} and {strange.sum()} pixels '
            f'in all are no class index; export the label again'
        )
    return label.astype(np.uint8)


def check_label(label, path, image, classes):
    """Refuses a label whose size is not its image's or that holds a value
    which is neither a class nor void.

    Takes: label: H x W uint8; image: its H x W x ... pixels; classes: number
        of classes, background included
    """
    check_size(label, path, image)
    count = np.bincount(label.ravel(), minlength=256)
    count[:classes] = count[VOID] = 0
    if count.any():
        values = ', '.join(
            f'{value} on {count[value]} pixels'
            for value in np.flatnonzero(count)[:5]
        )
        raise ValueError(
            f'{path}: value {values}: neither a class (0 to {classes - 1}) '
            f'nor void ({VOID}). Mark them as void, or give the data layer '
            f"'classes': {int(np.flatnonzero(count).max()) + 1} in param_str "
            f'if your data has that many'
        )


def check_size(array, path, image, what='label'):
    """Refuses what lies beside an image and is not of its size."""
    if array.shape[:2] != image.shape[:2]:
        raise ValueError(
            f'{path}: {what} of {size(array)} for an image of {size(image)} '
            f'(width x height). Fetch both again, or resize the {what} with '
            f'nearest-neighbour sampling'
        )


def size(array):
    return f'{array.shape[1]} x {array.shape[0]}'


def _open(path, what):
    """A decoded image: what is broken in the file comes up here."""
    _exists(path, what)
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except UNREADABLE as error:
        raise ValueError(_broken(path, what, error)) from error


def _broken(path, what, error):
    text = str(error).split(str(path))[0].strip(' \'"')
    text = text or type(error).__name__
    return (
        f'{path}: unreadable {what} of {Path(path).stat().st_size} bytes '
        f'({text}). Copy or download it again; `python -m data check` lists '
        f'every such file'
    )


def _exists(path, what):
    path = Path(path)
    if path.is_file():
        return
    others = sorted(p.name for p in path.parent.glob(f'{escape(path.stem)}.*'))
    if others:
        hint = f'there is {", ".join(others)}: convert or rename it'
    elif path.parent.is_dir():
        hint = (
            'its folder is there, so the download is incomplete or the split '
            'names an id of another release; `python -m data check` lists all'
        )
    else:
        hint = (
            'its folder is missing too; `python -m data` says what goes where'
        )
    raise FileNotFoundError(f'{path}: no such {what}; {hint}')
