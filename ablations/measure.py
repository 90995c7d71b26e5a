"""What is measured of a trained model: counts of every image for each test,
pixels near void, upsampling kernels, some pictures.

Pixels near object borders, which VOC marks as void, in bands of growing
width: after the trimaps of Kohli, Ladicky and Torr, CVPR 2008. Of networks
with several tasks (SIFT Flow's) the first is measured, which is the papers'.
Not here: what the counts say (statistics.py, score/hist.py).
"""

import sys

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

import networks
from ablations.result import BANDS, Counts, Kernels, Picture
from ablations.studies import apply
from ablations.variant import Variant
from caffe.proto import caffe_pb2 as pb
from data.classes import VOID
from score.nets import must_have_classes, picture, test_net
from score.seg import each_scored, progress
from weights.load import choose_device, load


def measure(folder, model, tests, device=None, pictures=6):
    """Runs over the test split once for each test.

    Takes: folder: a network directory; model: model file; tests: {name:
        {edit: value}} of its net for testing; device: as choose_device takes
        it; pictures: so many of the first images of the split
    Gives: {test: Counts}; {layer: Kernels}; [Picture] of the first test
    Raises: what reading and building the net raise; ValueError if there is no
        test, a model is of another net, or an image has nothing to score
    """
    if not tests:
        raise ValueError(f'{folder}: no test to measure it by')
    choose_device(device)
    counts, kernels, shown = {}, {}, []
    for name, edits in tests.items():
        net, test = edited_net(folder, edits)
        for notice in load(net, model):
            print(notice, file=sys.stderr)
        first = not counts
        what = ' '.join(filter(None, (test.split, name, 'scored')))
        counts[name], some = counted(net, test, what, pictures if first else 0)
        if first:
            kernels, shown = kernels_of(net), some
    return counts, kernels, shown


def edited_net(folder, edits):
    """A directory's net for testing, edited. Gives: net, Test of its first
    task on the split that it names"""
    folder = networks.folder(folder)

    def edit(param, name):
        apply(Variant(folder.name, {name: param}, pb.SolverParameter()), edits)

    net, test = test_net(folder, edit=edit)
    return net, test._replace(tasks=test.tasks[:1])


# counts -------------------------------------------------------------------


def counted(net, test, what, pictures):
    """Scores every image once. Gives: Counts; [Picture] of the first images

    Takes: test: Test with one task; what: is said of so many images
    """
    (task,) = test.tasks
    net.set_keep([*task, *test.source.inputs])
    hists, losses, bands, shown = [], [], 0, []
    images = each_scored(net, test.ids, task)
    for (image,) in progress(images, len(test.ids), what):
        must_have_classes(image, test.source.layer)
        hists.append(image.hist.to(torch.int32))
        losses.append(image.loss)
        bands = bands + near_void(image)
        if len(shown) < pictures:
            shown.append(pictured(image, picture(net, test.source, image.name)))
    found = Counts(
        np.array(test.ids),
        torch.stack(hists).cpu().numpy(),
        bands.cpu().numpy(),
        torch.stack(losses).cpu().numpy(),
    )
    return found, shown


def near_void(image):
    """The counts of an image's pixels that are near void: see Counts.bands.

    Takes: image: score.seg.Scored, of H x W
    Gives: len(BANDS) x C x C int64, on its device; all 0 without void
    """
    size = len(image.hist), len(image.hist)
    true = image.true.cpu().numpy()
    known = (true >= 0) & (true < size[0])
    if known.all():
        return torch.zeros_like(image.hist).expand(len(BANDS), *size)
    ring = torch.from_numpy(rings(known)).to(image.pred.device)
    beyond = len(BANDS)
    inside = ring < beyond
    # one bin for each ring, true and predicted class; the last for the rest
    bins = (ring * size[0] + image.true.long() * inside) * size[1]
    bins = torch.where(inside, bins + image.pred, beyond * size[0] * size[1])
    total = beyond * size[0] * size[1]
    counts = torch.bincount(bins.reshape(-1), minlength=total + 1)[:total]
    return counts.view(beyond, *size).cumsum(0)


def rings(known):
    """Which band is the first that a pixel lies in: distances are between the
    middles of pixels.

    Takes: known: H x W bools, false where void, somewhere
    Gives: H x W int64 positions in BANDS; their number beyond the last, and
        for void itself
    """
    distance = distance_transform_edt(known)
    ring = np.searchsorted(BANDS, distance)  # the first not less than it
    return np.where(known, ring, len(BANDS))


def pictured(image, pixels):
    """Takes: image: score.seg.Scored; pixels: H x W x 3 uint8"""
    true = image.true.cpu().numpy()
    known = (true >= 0) & (true < len(image.hist))
    return Picture(
        image.name,
        pixels,
        np.where(known, true, VOID).astype(np.uint8),
        image.pred.cpu().numpy().astype(np.uint8),
    )


# kernels ------------------------------------------------------------------


def kernels_of(net):
    """{layer: Kernels} of the Deconvolutions that give as many channels as
    they take; of others no kernel is a class's own."""
    found = {}
    for layer in net.param.layer:
        if layer.type == 'Deconvolution':
            weight = net.params[layer.name][0].data
            group = layer.convolution_param.group
            if weight.shape[0] == weight.shape[1] * group:
                found[layer.name] = kernels_in(weight)
    return found


def kernels_in(weight):
    """Takes: weight: C x C/groups x k x k, [from, to within its group]"""
    channels = np.arange(len(weight))
    own = weight[channels, channels % weight.shape[1]]
    energy, kept = (np.square(x, dtype=np.float64).sum() for x in (weight, own))
    # a difference of sums could be a little less than 0
    between = max(0.0, 1 - kept / energy) if energy else float('nan')
    return Kernels(own.copy(), float(between))
