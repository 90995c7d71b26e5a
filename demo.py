"""The paper's whole recipe in miniature, on generated pictures:

    classifier -> FCN-32s -> FCN-16s -> FCN-8s

with slim copies of the real nets (miniature.py), and the same solver,
surgery, data layers and seg_tests as the real thing. `make demo`
runs it; run again, it keeps what is up to date, as make does, and goes on
from the last snapshot of what is not finished. Everything it writes is in
demo/, the pictures it learns from in data/shapes/.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / 'data'))  # for `module: "voc_layers"`

import caffe  # noqa: E402
import miniature  # noqa: E402
import solve  # noqa: E402
from ablations.variant import put  # noqa: E402
from caffe.log import logger  # noqa: E402
from caffe.proto import caffe_pb2 as pb  # noqa: E402
from caffe.proto import text  # noqa: E402
from data import shapes  # noqa: E402
from nets import edits, vgg16  # noqa: E402
from score import palette, plot  # noqa: E402
from score.log import METRICS, Log, parse  # noqa: E402
from surgery.__main__ import convert  # noqa: E402
from training import needs, record, run  # noqa: E402

ROUNDS, ITERATIONS = 4, 300
STAGES = 'voc-fcn32s', 'voc-fcn16s', 'voc-fcn8s'


def main():
    begin = time.time()
    logger.addFilter(worth_telling)
    demo, data = ROOT / 'demo', shapes.HOME
    shapes.write(data)
    start = demo / 'vgg16-fcn/vgg16-fcn.caffemodel'
    train_classifier(start, data, miniature.CLASSIFIER)
    for name in STAGES:
        start = train(demo / name, start, data, ROUNDS, ITERATIONS)
    print(table({name: read_logs(demo / name) for name in STAGES}))
    draw(demo, data)
    print(
        f'pictures: demo/curves.png, demo/grid.png\n'
        f'{time.time() - begin:.0f} s in all'
    )


def worth_telling(record):
    """Whether a log line is; here, every step is clipped."""
    return not record.getMessage().startswith('Gradient clipping')


def fresh(path, *sources):
    """Whether a file is there, and younger than what it was made from."""
    return path.is_file() and all(
        source.stat().st_mtime <= path.stat().st_mtime for source in sources
    )


def shown(path):
    return path.relative_to(ROOT) if ROOT in path.parents else path


# the classifier -----------------------------------------------------------


def train_classifier(trunk, data, settings):
    """Trains a slim VGG-16 to say what lies in the middle of a picture and
    makes it fully convolutional: what Oxford and `surgery` did for the real
    nets.

    Takes: trunk: the file to write; data: the dataset's folder; settings: a
        solver's, as text
    """
    param = text.parse(settings, pb.SolverParameter(), 'demo.py')
    param.train_net_param.CopyFrom(miniature.classifier('train', data))
    param.test_net_param.add().CopyFrom(miniature.classifier('val', data))
    recipe = put(trunk.parent / 'solver.prototxt', text.to_text(param))
    if fresh(trunk, recipe, data / shapes.STAMP):
        return print(f'{shown(trunk)}: already there')
    print(f'\nclassifier: {param.max_iter} iterations')
    solver = caffe.SGDSolver(param)
    with record.shown(solver, param.max_iter, param.max_iter):
        solver.step(param.max_iter)
    test = solver.test_nets[0]
    share = miniature.accuracy(test, param.test_iter[0])
    print(f'accuracy on held-out crops: {share:.3f}')
    source = trunk.parent / 'classifier.caffemodel'
    solver.net.save(str(source))
    print(convert(source, trunk, edits.slim(vgg16.trunk(), miniature.WIDTH)))


# the fully convolutional nets -----------------------------------------------


def train(folder, start, data, rounds, iterations):
    """Trains a slim copy of a network directory by its recipe.

    Takes: folder: named after the network; start: model file; data: the
        dataset's folder; rounds: of `iterations` each, with seg_tests after
    Gives: the trained model's file
    """
    end = rounds * iterations
    files = miniature.write_directory(folder, end, iterations)
    model = folder / f'snapshot/train_iter_{end}.caffemodel'
    if fresh(model, start, *files):
        print(f'{shown(model)}: already there')
        return model
    state = needs.newest(folder, 'solverstate')
    resume = state and fresh(state, start, *files)
    if not resume:  # its snapshots and logs are another run's
        shutil.rmtree(folder)
        miniature.write_directory(folder, end, iterations)
    print(f'\n{folder.name}: {end} iterations')
    where = ['--voc', str(data), '--sbd', str(data)]
    how = ['--resume'] if resume else ['--weights', str(start)]
    recipe = solve.recipe_of(ROOT / folder.name)
    run.run(
        folder,
        recipe._replace(rounds=rounds, iterations=iterations),
        solve.arguments(folder.name, ['cpu', *where, *how]),
    )
    return model


# the outcome ----------------------------------------------------------------


def read_logs(folder):
    """What all runs of a directory said, one after another."""
    paths = sorted(folder.glob('train-*.log'))
    return Log(str(folder), *parse('\n'.join(p.read_text() for p in paths)))


def table(logs):
    """The last scores of each stage, {name: Log}, as a Markdown table."""
    lines = [
        '',
        '| stage      | overall acc | mean acc | mean IU | fwavacc |',
        '|------------|-------------|----------|---------|---------|',
    ]
    for name, log in logs.items():
        a, b, c, d = (100 * log.seg[0][key].value[-1] for key in METRICS)
        lines.append(
            f'| {name:10} | {a:11.1f} | {b:8.1f} | {c:7.1f} | {d:7.1f} |'
        )
    return '\n'.join([*lines, ''])


def draw(demo, data):
    """Writes the training curves and the grid of pictures."""
    logs = [read_logs(demo / name) for name in STAGES]
    plot.plot(logs, demo / 'curves.png', names=STAGES)
    os.environ['VOC_DIR'] = str(data)
    grid([val_net(demo / name) for name in STAGES]).save(demo / 'grid.png')


def grid(nets, count=8):
    """image | label | 32s | 16s | 8s for the first held-out pictures."""
    rows = []
    for _ in range(count):
        for net in nets:
            net.forward()
        blobs = nets[0].blobs
        image = blobs['data'].data[0].transpose(1, 2, 0) + miniature.MEAN
        image = image[:, :, ::-1].round().astype(np.uint8)
        label = blobs['label'].data[0, 0].astype(np.uint8)
        maps = [net.blobs['score'].data[0].argmax(0) for net in nets]
        rows.append(
            [Image.fromarray(image), label, *(m.astype(np.uint8) for m in maps)]
        )
    return palette.grid(rows, ['image', 'label', *STAGES], side=200)


def val_net(folder):
    os.chdir(folder)  # prototxt paths count from here
    weights = needs.newest(folder, 'caffemodel')
    return caffe.Net('val.prototxt', caffe.TEST, weights=str(weights))


if __name__ == '__main__':
    sys.exit(main())
