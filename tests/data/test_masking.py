"""What of an image a mask leaves, alone and in the layers of VOC and SBD."""

import numpy as np
import pytest

from data.masking import MASKS, SHAPE, masked
from data.voc_layers import SBDDSegDataLayer, VOCSegDataLayer

MEAN = (104.00699, 116.66877, 122.67892)
# H x W: background, two classes, void
LABEL = np.array([[0, 0, 255], [255, 3, 20]], np.uint8)
LEFT = {
    'foreground': [[1, 1, 0], [0, 0, 0]],
    'background': [[0, 0, 0], [0, 1, 1]],
}


@pytest.mark.parametrize('mask', LEFT)
def test_a_masked_pixel_is_the_mean_and_the_others_stay(mask):
    data = np.arange(1, 19, dtype=np.float32).reshape(3, 2, 3)
    before = data.copy()
    found = masked(data, LABEL, mask)
    assert found.dtype == np.float32
    assert (found == data * np.array(LEFT[mask])).all()
    assert (data == before).all()


def test_of_texture_only_the_silhouette_is_left():
    data = np.arange(1, 19, dtype=np.float32).reshape(3, 2, 3)
    found = masked(data, LABEL, 'texture')
    assert found.dtype == np.float32 and found.flags.writeable
    assert (found == [[[0, 0, 0], [0, SHAPE, SHAPE]]] * 3).all()
    assert SHAPE != 0


@pytest.mark.parametrize('mask', MASKS)
@pytest.mark.parametrize('kind', [VOCSegDataLayer, SBDDSegDataLayer])
def test_the_layers_mask_images_and_no_labels(kind, mask, layer, voc, sbd):
    folder = dict(voc_dir=str(voc), sbdd_dir=str(sbd))
    (key,) = kind.needs & folder.keys()
    settings = {key: folder[key], 'split': 'val', 'mean': MEAN}
    data, label = layer.step(layer(kind, **settings))
    found, same = layer.step(layer(kind, mask=mask, **settings))
    assert (same == label).all()
    assert (found[0] == masked(data[0], label[0, 0], mask)).all()
    assert (found != data).any()


def test_a_mask_that_is_none_is_refused(layer, voc):
    with pytest.raises(
        ValueError,
        match='VOCSegDataLayer: mask must be one of foreground, background, '
        "texture, not 'sky'",
    ):
        layer(
            VOCSegDataLayer,
            voc_dir=str(voc),
            split='val',
            mean=MEAN,
            mask='sky',
        )
