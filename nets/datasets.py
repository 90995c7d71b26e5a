"""The data layers of the datasets: which images, with which labels.

Only named here; `data/` holds the classes. Paths are relative to a network
directory, where training runs.
"""

from caffe import layers as L

MEAN_BGR = (104.00699, 116.66877, 122.67892)  # of ILSVRC's images, 0 .. 255


def voc(split):
    """Trains on SBD's labels, more than PASCAL has; tests on PASCAL's own.

    Takes: split: 'train' or 'val'
    Gives: data 1 x 3 x H x W, label 1 x 1 x H x W
    """
    layer, where = {
        'train': (
            'SBDDSegDataLayer',
            dict(sbdd_dir='../data/sbdd/dataset', split='train'),
        ),
        'val': (
            'VOCSegDataLayer',
            dict(voc_dir='../data/pascal/VOC2011', split='seg11valid'),
        ),
    }[split]
    return L.Python(
        module='voc_layers',
        layer=layer,
        param_str=str(dict(where, mean=MEAN_BGR, seed=1337)),
        ntop=2,
    )
