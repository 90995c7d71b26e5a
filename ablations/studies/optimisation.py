"""Batches of 20, or an image at a time with a momentum that makes up for it.

CVPR 2015, section 4.3: batches of 20, momentum 0.9, rate 1e-4 for VGG-16.
Berkeley's solvers: one image, momentum 0.99, a loss summed over pixels. Each
edit keeps how far an update moves the weights in the long run, so that arms
differ in their noise and not in how far they go:

  momentum    SGD and Nesterov add an image's gradient up to rate / (1 -
              momentum) times, so the rate changes with 1 - momentum. Adam's
              momentum averages, AdaDelta's is of squares: no change.
  batch       by iter_size, since images differ in size; the engine averages
              over it, so the rate stays. An update sees `batch` images.
  normalised  the loss is a mean over pixels instead of a sum: the rate times
              the pixels of a typical image, for SGD and Nesterov. The others
              divide by the gradient's size: no change.

Not here: weight decay, which a mean loss makes stronger by as much as the
rate rises; clip_gradients, which stays and then limits other norms.
"""

from functools import partial

from ablations.study import AS_PUBLISHED, Edit, Study
from caffe.proto import caffe_pb2 as pb

PIXELS = {  # of a typical image
    'voc': 500 * 375,
    'pascalcontext': 500 * 375,
    'siftflow': 256 * 256,
    'nyud': 560 * 425,
}
PROPORTIONAL = ('SGD', 'Nesterov')  # twice the gradient, twice the step
NO_MOMENTUM = ('AdaGrad', 'RMSProp')
MEANS = (pb.LossParameter.VALID, pb.LossParameter.FULL)


def batch(variant, size):
    if size < 1 or not size.is_integer():
        raise ValueError(
            f'{variant.network}: batch={size:g}: a number of images is at '
            'least 1 and whole'
        )
    variant.solver.iter_size = int(size)


def momentum(variant, value):
    solver = variant.solver
    if not 0 <= value < 1:
        raise ValueError(
            f'{variant.network}: momentum={value:g}: it is at least 0 and '
            'below 1'
        )
    if value and solver.type in NO_MOMENTUM:
        raise ValueError(
            f'{variant.network}: momentum={value:g}: its solver, '
            f'{solver.type}, has none'
        )
    if solver.type in PROPORTIONAL:
        change_rate(solver, (1 - value) / (1 - short(solver.momentum)))
    solver.momentum = value


def normalised(variant, wanted):
    """Takes: wanted: whether losses are means over pixels"""
    losses = list(variant.layers('SoftmaxWithLoss'))
    if not losses:
        raise ValueError(f'{variant.network} has no SoftmaxWithLoss to edit')
    before = {is_mean(layer) for layer in losses}
    if len(before) > 1:
        raise ValueError(
            f'{variant.network}: some of its losses are means and others '
            'sums: no one rate is right for both'
        )
    if before == {wanted}:
        return
    for layer in losses:
        layer.loss_param.ClearField('normalization')
        layer.loss_param.normalize = wanted
    if variant.solver.type in PROPORTIONAL:
        size = pixels(variant)
        change_rate(variant.solver, size if wanted else 1 / size)


def is_mean(layer):
    """As Caffe reads its two fields."""
    options = layer.loss_param
    if options.HasField('normalize') and not options.HasField('normalization'):
        return options.normalize
    return options.normalization in MEANS


def pixels(variant):
    known = PIXELS.get(variant.network.split('-')[0])
    if known:
        return known
    for layer in variant.layers('Input'):  # of the net for use
        *_, height, width = layer.input_param.shape[0].dim
        return height * width
    raise ValueError(
        f'{variant.network}: neither its name nor a deploy net with an Input '
        'says how many pixels its images have'
    )


def change_rate(solver, factor):
    solver.base_lr = short(short(solver.base_lr) * factor)


def short(value):
    """Without the digits that float32 adds to 0.99."""
    return float(f'{value:.6g}')


EDITS = {
    'batch': Edit('images an update (iter_size)', AS_PUBLISHED, batch),
    'momentum': Edit(
        'momentum, with the rate that goes with it',
        AS_PUBLISHED,
        momentum,
    ),
    'normalised': Edit(
        'whether the loss is a mean over pixels, with the rate for it',
        AS_PUBLISHED,
        {
            'yes': partial(normalised, wanted=True),
            'no': partial(normalised, wanted=False),
        },
    ),
}
STUDY = Study(
    question='Batches, or an image at a time? A mean over pixels, or a sum?',
    answer='An image at a time: the published VOC networks were "trained '
    'online with high momentum for a ~5 point boost in mean '
    'intersection-over-union over the original models" (README of '
    'fcn.berkeleyvision.org), which had batches of 20 and momentum 0.9 (CVPR '
    '2015, section 4.3). No number for each setting could be checked.',
    method='The same number of updates in every arm, so batches of 20 see 20 '
    'times the images. The rate follows: with momentum 0.9 it is 10 times '
    'that with 0.99, so that rate / (1 - momentum) stays; for a mean loss it '
    'is 187500 (500 x 375) times that for a sum. From 1e-10 for the sum, one '
    'image and 0.99, this gives 1.875e-4 for the mean, batches and 0.9, where '
    'the paper has 1e-4. Weight decay goes by the rate, so with a mean loss it '
    'is 187500 times as strong: over the whole schedule it takes a tenth of '
    'the weights, with a sum nothing that is felt. '
    "Adam's steps depend on neither, so with it the rate stays.",
    nets=('voc-fcn32s',),
    arms={
        f'batch {size}, momentum {value}, {loss}': {
            'batch': size,
            'momentum': value,
            'normalised': mean,
        }
        for loss, mean in (('sum', 'no'), ('mean', 'yes'))
        for size, value in (('1', '0.99'), ('1', '0.9'), ('20', '0.9'))
    },
    published={('voc-fcn32s', 'batch 1, momentum 0.99, sum'): 63.6},
)
