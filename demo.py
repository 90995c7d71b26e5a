"""The paper's whole recipe in miniature, on generated pictures:

    classifier -> FCN-32s -> FCN-16s -> FCN-8s

with the real definitions of the nets, a WIDTH-th as wide, and the same
solver, surgery, data layers and seg_tests as the real thing. `make demo`
runs it; run again, it goes on where it was. Everything it writes is in demo/.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / 'data'))      # for `module: "voc_layers"`

import caffe  # noqa: E402
import runs  # noqa: E402
import solve  # noqa: E402
from caffe.proto import caffe_pb2 as pb  # noqa: E402
from caffe.proto import text  # noqa: E402
from data import shapes  # noqa: E402
from nets import edits, vgg16  # noqa: E402
from score import palette, plot  # noqa: E402
from score.log import read_log  # noqa: E402
from surgery.__main__ import convert  # noqa: E402

DEMO = ROOT / 'demo'
WIDTH = 8               # 64 channels become 8, 4096 become 512
MEAN = (104.00699, 116.66877, 122.67892)
CLASSIFIER = """
base_lr: 0.01  lr_policy: "poly"  power: 1  max_iter: 400  momentum: 0.9
weight_decay: 0.0005  clip_gradients: 2  random_seed: 1337  display: 20
average_loss: 20  test_iter: 20  test_interval: 999999
test_initialization: false
"""
# what a short run on small pictures needs instead of solver.prototxt's values
STAGES = {
    'voc-fcn32s': dict(rounds=4, iterations=300, base_lr=1e-6, momentum=0.9),
    'voc-fcn16s': dict(rounds=3, iterations=300, base_lr=4e-7, momentum=0.9),
    'voc-fcn8s': dict(rounds=3, iterations=300, base_lr=2e-7, momentum=0.9),
}


def main():
    begin = time.time()
    shapes.write()
    train_classifier(DEMO / 'vgg16-fcn')
    for name, stage in STAGES.items():
        train(name, stage)
    report()
    print(f'\n{time.time() - begin:.0f} s in all')


# the classifier -----------------------------------------------------------


def train_classifier(folder):
    """Trains a slim VGG-16 on crops of single objects and makes it fully
    convolutional: what Oxford and `surgery` did for the real nets."""
    trunk = folder / 'vgg16-fcn.caffemodel'
    if trunk.is_file():
        return print(f'{trunk.relative_to(ROOT)}: already there')
    folder.mkdir(parents=True, exist_ok=True)
    settings = text.parse(CLASSIFIER, pb.SolverParameter(), 'demo.py')
    for split, field in (('train', settings.train_net_param),
                         ('val', settings.test_net_param.add())):
        field.CopyFrom(classifier(split))
    solver = caffe.SGDSolver(settings)
    with runs.shown(solver, settings.max_iter):
        solver.step(settings.max_iter)
    solver.test()
    solver.net.save(str(folder / 'classifier.caffemodel'))
    print(convert(folder / 'classifier.caffemodel', trunk,
                  edits.slim(vgg16.trunk(), WIDTH)))


def classifier(split):
    """VGG-16 with InnerProduct fc6 and fc7, slim, on the crops."""
    crops = dict(classify_dir=str(shapes.HOME / 'classify'), split=split,
                 mean=MEAN, seed=1337, batch=10, size=224)
    net = edits.slim(vgg16.classifier(), WIDTH)
    net.layer[0].CopyFrom(pb.LayerParameter(
        name='data', type='Python', top=['data', 'label'],
        python_param=dict(module='shapes_layers', param_str=str(crops),
                          layer='ShapesClassifyLayer')))
    for layer in net.layer:
        for field in ('convolution_param', 'inner_product_param'):
            if layer.HasField(field):
                getattr(layer, field).weight_filler.type = 'msra'
        if layer.type == 'Dropout':
            layer.dropout_param.dropout_ratio = 0.1     # few units, few steps
        if layer.name == 'conv1_1':     # its inputs are not of unit size
            filler = layer.convolution_param.weight_filler
            filler.type, filler.std = 'gaussian', 0.005
        if layer.name == 'fc8':
            layer.inner_product_param.num_output = len(shapes.CLASSES)
            layer.inner_product_param.weight_filler.std = 0.01
            layer.inner_product_param.weight_filler.type = 'gaussian'
    del net.layer[-1]                   # prob
    net.layer.add(name='loss', type='SoftmaxWithLoss', top=['loss'],
                  bottom=['fc8', 'label'])
    net.layer.add(name='accuracy', type='Accuracy', top=['accuracy'],
                  bottom=['fc8', 'label'])
    return net


# the fully convolutional nets -----------------------------------------------


def train(name, stage):
    """Trains a slim copy of a network directory by its recipe. Gives: the
    scores after its last round."""
    folder = DEMO / name
    write_directory(folder, name, stage)
    recipe = solve.recipe_of(ROOT / name)._replace(
        rounds=stage['rounds'], iterations=stage['iterations'])
    end = recipe.rounds * recipe.iterations
    if not (folder / f'snapshot/train_iter_{end}.caffemodel').is_file():
        args = solve.arguments(name, [
            'cpu', '--voc', str(shapes.HOME), '--sbd', str(shapes.HOME)])
        runs.run(folder, recipe, args)
    else:
        print(f'{folder.relative_to(ROOT)}: already trained')


def write_directory(folder, name, stage):
    """The files of a network directory with every width divided."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in ('train', 'val', 'deploy'):
        net = text.read_net(str(ROOT / name / f'{split}.prototxt'))
        (folder / f'{split}.prototxt').write_text(
            text.to_text(edits.slim(net, WIDTH)))
    settings = text.read_solver(str(ROOT / name / 'solver.prototxt'))
    settings.base_lr = stage['base_lr']
    settings.momentum = stage['momentum']
    settings.max_iter = settings.snapshot = stage['iterations']
    settings.max_iter *= stage['rounds']
    settings.random_seed = 1337
    (folder / 'solver.prototxt').write_text(text.to_text(settings))


# the outcome ----------------------------------------------------------------


METRICS = ('overall accuracy', 'mean accuracy', 'mean IU', 'fwavacc')


def report():
    """Prints the table and draws the curves and the grid of pictures."""
    logs = {name: read_log(max((DEMO / name).glob('train-*.log')))
            for name in STAGES}
    print('\n| stage | overall acc | mean acc | mean IU | fwavacc |')
    print('|---|---|---|---|---|')
    for name, log in logs.items():
        scores = [log.seg[0][key].value[-1] for key in METRICS]
        print(f'| {name} | ' + ' | '.join(f'{s:.4f}' for s in scores) + ' |')
    plot.plot(list(logs.values()), DEMO / 'curves.png', names=list(logs))
    grid().save(DEMO / 'grid.png')
    print(f'\npictures: {DEMO}/curves.png, {DEMO}/grid.png')


def grid(count=6):
    """image | label | 32s | 16s | 8s for some of the held-out pictures."""
    os.environ['VOC_DIR'] = str(shapes.HOME)
    nets = [val_net(DEMO / name) for name in STAGES]
    rows = []
    for _ in range(count):
        maps = []
        for net in nets:
            net.forward()
            maps.append(net.blobs['score'].data[0].argmax(0).astype(np.uint8))
        image = nets[0].blobs['data'].data[0].transpose(1, 2, 0) + MEAN
        label = nets[0].blobs['label'].data[0, 0].astype(np.uint8)
        image = Image.fromarray(image[:, :, ::-1].round().astype(np.uint8))
        rows.append([image, label, *maps])
    return palette.grid(rows, ['image', 'label', *STAGES])


def val_net(folder):
    weights = runs.newest(folder, 'caffemodel')
    return caffe.Net(str(folder / 'val.prototxt'), caffe.TEST,
                     weights=str(weights))


if __name__ == '__main__':
    sys.exit(main())
