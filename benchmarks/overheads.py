"""Times what lies around the net: reading images, the log, the scores.

    python benchmarks/overheads.py [--net voc-fcn32s] [--slim 1 16] [--gpu 0]

Training iterations by the solver and its data layer, with images of 500 x 375
made on the fly and the log and metrics.csv written as in a run, take turns with
iterations of the same solver that is handed its last image again and says
nothing. Likewise seg_tests beside forward passes over images that lie in
memory already. Prints medians and their ratio as a Markdown table.
"""

import argparse
import contextlib
import io
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'data')]
SIZE = 375, 500  # H, W: what most of VOC's images have


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--net', default='voc-fcn32s', help='a voc- network')
    parser.add_argument(
        '--slim',
        type=int,
        nargs='+',
        default=[1, 16],
        help='divisors of the width: 1 is the real net',
    )
    parser.add_argument(
        '--images',
        type=int,
        default=4,
        help='a round: so many iterations, or scored images',
    )
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--gpu', type=int, help='GPU number; default: CPU')
    args = parser.parse_args()
    print('| width | what | bare, ms | with all around it, ms | overhead |')
    print('|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        write_voc(Path(folder), args.images)
        os.environ['VOC_DIR'] = os.environ['SBD_DIR'] = folder
        set_device(args.gpu)
        for divisor in args.slim:
            solver = make_solver(args, divisor)
            for what, pair in (
                ('iteration', training(solver, args)),
                ('scored image', testing(solver, args)),
            ):
                report(divisor, what, *race(pair, args))


def set_device(gpu):
    import caffe

    logging.getLogger('caffe').handlers.clear()
    if gpu is not None:
        caffe.set_device(gpu)
        caffe.set_mode_gpu()


def write_voc(root, count):
    """Images and labels with VOC's size, detail and compression."""
    import numpy as np
    from PIL import Image
    from scipy.io import savemat
    from scipy.ndimage import gaussian_filter

    from data.palette import save_label

    voc, sbd = root / 'pascal/VOC2011', root / 'sbdd/dataset'
    lists = voc / 'ImageSets/Segmentation'
    for folder in (
        voc / 'JPEGImages',
        voc / 'SegmentationClass',
        lists,
        sbd / 'img',
        sbd / 'cls',
    ):
        folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [f'2011_{number:06}' for number in range(count)]
    for name in names:
        noise = rng.normal(size=(*SIZE, 3))
        pixels = (
            sum(
                k * 12 * gaussian_filter(noise, (k, k, 0))
                for k in (1, 2, 4, 8, 16)
            )
            + 8 * noise
            + 120
        )
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        for folder in (voc / 'JPEGImages', sbd / 'img'):
            image.save(folder / f'{name}.jpg', quality=92)
        smooth = gaussian_filter(rng.normal(size=SIZE), 30)
        label = ((smooth > 0) * 15).astype(np.uint8)
        save_label(voc / 'SegmentationClass' / f'{name}.png', label)
        savemat(
            sbd / 'cls' / f'{name}.mat',
            do_compression=True,
            mdict={'GTcls': {'Segmentation': label}},
        )
    text = '\n'.join(names) + '\n'
    for path in (sbd / 'train.txt', lists / 'seg11valid.txt'):
        path.write_text(text)


def make_solver(args, divisor):
    """The network's own solver, its nets divided in width, random weights."""
    import caffe
    import surgery
    from caffe.proto import text
    from nets import edits

    folder = ROOT / args.net
    settings = text.read_solver(str(folder / 'solver.prototxt'))
    nets = [
        edits.slim(text.read_net(str(folder / f'{use}.prototxt')), divisor)
        for use in ('train', 'val')
    ]
    for field in ('train_net', 'test_net'):
        settings.ClearField(field)
    settings.train_net_param.CopyFrom(nets[0])
    settings.test_net_param.add().CopyFrom(nets[1])
    settings.display, settings.snapshot = 20, 0
    solver = caffe.SGDSolver(settings)
    for blobs in solver.net.params.values():
        weight = blobs[0].tensor
        weight.normal_(0, (2 / weight[0].numel()) ** 0.5)
    surgery.interp(solver.net, [n for n in solver.net.params if 'up' in n])
    solver.test_nets[0].set_keep(['score', 'label'])
    return solver


# pairs: bare, and with all around it ----------------------------------------


def training(solver, args):
    """An iteration of a round's `images`; both are the solver's own step."""
    layer = data_layer(solver.net)

    def bare():
        with still(layer, [layer.upcoming_arrays()]), logged(None):
            solver.step(args.images)
            wait(args.gpu)

    def full():
        with tempfile.TemporaryDirectory() as folder, logged(folder):
            solver.step(args.images)
            wait(args.gpu)

    return bare, full


def testing(solver, args):
    """Forward passes; what is scored is every image of the split."""
    from score import seg_tests

    net = solver.test_nets[0]
    layer = data_layer(net)
    net.share_with(solver.net)
    arrays = [
        [array[None] for array in layer.load(item)] for item in layer.indices
    ]

    def bare():
        with still(layer, arrays):
            for _ in layer.indices:
                net.forward_loss()
            wait(args.gpu)

    def full():
        with contextlib.redirect_stdout(io.StringIO()):
            seg_tests(solver, False, layer.indices)
            wait(args.gpu)

    return bare, full


def data_layer(net):
    return next(x for x in net.layers if hasattr(x, 'indices'))


@contextlib.contextmanager
def still(layer, images):
    """Lets a data layer give images from memory, in turn, and read none."""
    turn = [0]

    def forward(bottom, top):
        for blob, array in zip(top, images[turn[0] % len(images)]):
            blob.data[...] = array
        turn[0] += 1

    layer.upcoming_arrays = lambda: images[turn[0] % len(images)]
    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward, layer.upcoming_arrays


@contextlib.contextmanager
def logged(folder):
    """The log and the table of a run, as run.py keeps them; or nothing."""
    from caffe.log import GlogFormatter, logger
    from score.sheet import Sheet

    before = logger.level
    if folder is None:
        logger.setLevel(logging.ERROR)
        yield
        logger.setLevel(before)
        return
    logger.setLevel(logging.INFO)
    with (
        open(Path(folder, 'train.log'), 'a', buffering=1) as file,
        Sheet(Path(folder, 'metrics.csv')) as table,
    ):
        handlers = [logging.StreamHandler(f) for f in (file, table)]
        for handler in handlers:
            handler.setFormatter(GlogFormatter())
            logger.addHandler(handler)
        yield
        for handler in handlers:
            logger.removeHandler(handler)
    logger.setLevel(before)


def race(pair, args):
    """Gives: seconds of one image by each of a pair, a list for each"""
    times = [], []
    for round_ in range(args.rounds + 1):
        for work, found in zip(pair, times):
            begin = time.perf_counter()
            work()
            seconds = time.perf_counter() - begin
            if round_:  # the first one warms up
                found.append(seconds / args.images)
    return times


def wait(gpu):
    if gpu is not None:
        import torch

        torch.cuda.synchronize()


def report(divisor, what, bare, full):
    ratio = statistics.median(f / b for b, f in zip(bare, full)) - 1
    bare, full = (1e3 * statistics.median(times) for times in (bare, full))
    width = 'full' if divisor == 1 else f'1/{divisor}'
    print(
        f'| {width} | {what} | {bare:.1f} | {full:.1f} | {100 * ratio:+.1f} '
        '% |',
        flush=True,
    )


if __name__ == '__main__':
    main()
