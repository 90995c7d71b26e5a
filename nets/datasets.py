"""The data layers of the datasets: which images, with which labels.

Only named here; `data/` holds the classes. Paths are relative to a network
directory, where training runs. A split whose name has `train` in it comes in
random order, the same at every run.
"""

from caffe import layers as L

MEAN_BGR = (104.00699, 116.66877, 122.67892)  # of ILSVRC's images, 0 .. 255
SEED = 1337  # of the order of images


def dataset(module, layer, ntop, **settings):
    settings.update(seed=SEED)
    return L.Python(
        module=module, layer=layer, param_str=str(settings), ntop=ntop
    )


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
    return dataset('voc_layers', layer, 2, **where, mean=MEAN_BGR)


def siftflow(split):
    """Two labels for every pixel: what it shows, and how that surface lies.

    Takes: split: 'trainval' or 'test'
    Gives: data 1 x 3 x H x W; semantic and geometric labels 1 x 1 x H x W
    """
    return dataset(
        'siftflow_layers',
        'SIFTFlowSegDataLayer',
        3,
        siftflow_dir='../data/sift-flow',
        split=split,
    )


def nyud(split, *inputs):
    """Rooms, seen by a colour and a depth camera.

    Takes: split: 'trainval' or 'test'; inputs: of 'color' (1 x 3 x H x W),
        'depth' (1 x 1 x H x W, its logarithm) and 'hha' (1 x 3 x H x W,
        depth as horizontal disparity, height above ground and angle)
    Gives: these, and label 1 x 1 x H x W
    """
    return dataset(
        'nyud_layers',
        'NYUDSegDataLayer',
        len(inputs) + 1,
        nyud_dir='../data/nyud',
        split=split,
        tops=[*inputs, 'label'],
    )


def pascalcontext(split):
    """VOC2010's images with a label for (nearly) every pixel.

    Takes: split: 'train' or 'val'
    Gives: data 1 x 3 x H x W, label 1 x 1 x H x W
    """
    return dataset(
        'pascalcontext_layers',
        'PASCALContextSegDataLayer',
        2,
        voc_dir='../data/pascal',
        context_dir='../data/pascal-context',
        split=split,
    )
