"""Times FCN-8s here, in plain PyTorch and in OpenCV's dnn, in one run.

    python benchmarks/speed.py [--size 375x500] [--rounds 5] [--gpu 0]

Every contender runs in a process of its own, which says its peak memory; the
processes take turns, so a machine that speeds up or slows down does so for
all. Prints a Markdown table of medians and the ratios to plain PyTorch.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'benchmarks')]
MODEL = 'fcn8s-random.caffemodel'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--size', default='375x500', help='H x W of the image')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--gpu', type=int, help='GPU number; default: CPU')
    parser.add_argument('--only', nargs='+', choices=sorted(CONTENDERS))
    parser.add_argument('--contender', help=argparse.SUPPRESS)
    parser.add_argument('--folder', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        return serve(args)
    names = args.only or [
        n for n in CONTENDERS if args.gpu is None or 'opencv' not in n
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_model(folder)
        times, memory = race(names, args, folder)
    report(names, times, memory, args)


def race(names, args, folder):
    """Starts one process per contender and lets them take turns."""
    command = [
        sys.executable,
        __file__,
        '--size',
        args.size,
        '--folder',
        folder,
    ]
    if args.gpu is not None:
        command += ['--gpu', str(args.gpu)]
    times, memory = {n: [] for n in names}, {}
    for name in names:  # one at a time in memory: honest peaks
        worker = subprocess.Popen(
            [*command, '--contender', name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        times[name] = worker
    try:
        workers = dict(times)
        times = {n: [] for n in names}
        for round_ in range(args.rounds + 1):
            for name in names:
                workers[name].stdin.write('go\n')
                workers[name].stdin.flush()
                answer = json.loads(workers[name].stdout.readline())
                memory[name] = answer['memory']
                if round_:  # the first one warms up
                    times[name].append(answer['seconds'])
            print(f'round {round_} of {args.rounds}', file=sys.stderr)
    finally:
        for worker in workers.values():
            worker.stdin.close()
            worker.wait()
    return times, memory


def serve(args):
    """A contender: one timed pass for every line on stdin."""
    size = tuple(int(n) for n in args.size.split('x'))
    work = CONTENDERS[args.contender](size, args.gpu, Path(args.folder))
    for _ in sys.stdin:
        begin = time.perf_counter()
        work()
        synchronize(args.gpu)
        seconds = time.perf_counter() - begin
        print(
            json.dumps({'seconds': seconds, 'memory': peak(args.gpu)}),
            flush=True,
        )


def peak(gpu):
    """Peak memory so far in GB: of the process, or of the GPU."""
    if gpu is not None:
        import torch

        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def synchronize(gpu):
    if gpu is not None:
        import torch

        torch.cuda.synchronize()


def write_model(folder):
    """A full-width FCN-8s with random weights of sensible size."""
    import caffe
    import surgery

    net = caffe.Net(str(ROOT / 'voc-fcn8s/deploy.prototxt'), caffe.TEST)
    for blobs in net.params.values():
        weight = blobs[0].tensor
        weight.normal_(0, (2 / weight[0].numel()) ** 0.5)
    surgery.interp(net, [name for name in net.params if 'up' in name])
    net.save(str(Path(folder) / MODEL))


def image(size):
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.uniform(-120, 130, (1, 3, *size)).astype('float32')


# contenders: (size, gpu, folder) -> a function that does the work once -------


def ours(size, gpu, folder, phase='deploy'):
    import caffe

    if gpu is not None:
        caffe.set_device(gpu)
        caffe.set_mode_gpu()
    net = caffe.Net(
        str(ROOT / f'voc-fcn8s/{phase}.prototxt'),
        caffe.TEST,
        weights=str(folder / MODEL),
    )
    net.set_keep([])
    net.blobs['data'].reshape(1, 3, *size)
    net.blobs['data'].data[...] = image(size)
    return lambda: net.forward_loss()


def ours_train(size, gpu, folder):
    import numpy as np

    import caffe
    from caffe.proto import text
    from nets import edits

    if gpu is not None:
        caffe.set_device(gpu)
        caffe.set_mode_gpu()
    param = text.read_net(str(ROOT / 'voc-fcn8s/train.prototxt'))
    edits.with_inputs(param, {'data': (1, 3, *size), 'label': (1, 1, *size)})
    settings = caffe.caffe_pb2.SolverParameter(
        train_net_param=param,
        base_lr=1e-14,
        lr_policy='fixed',
        momentum=0.99,
        weight_decay=5e-4,
        average_loss=20,
        display=20,
    )
    solver = caffe.SGDSolver(settings)
    solver.keep_diffs = False  # as in the middle of a long step
    solver.net.copy_from(str(folder / MODEL))
    solver.net.blobs['data'].data[...] = image(size)
    solver.net.blobs['label'].data[...] = np.random.default_rng(1).integers(
        0, 21, (1, 1, *size)
    )
    return lambda: solver.step(1)


def load_plain(gpu):
    """With weights of the same size as the file's; caffe stays unimported,
    because it changes how the process keeps memory."""
    import plain
    import torch

    torch.backends.cudnn.allow_tf32 = False
    net = plain.FCN8s()
    for weight in net.parameters():
        if weight.dim() == 4:
            scale = (2 / weight[0].numel()) ** 0.5
            torch.nn.init.normal_(weight, 0, scale)
    return net if gpu is None else net.cuda(gpu)


def plain_forward(size, gpu, folder):
    import torch

    net = load_plain(gpu).eval()
    x = torch.from_numpy(image(size))
    x = x if gpu is None else x.cuda(gpu)

    def work():
        with torch.no_grad():
            net(x)

    return work


def plain_train(size, gpu, folder):
    import torch
    from torch.nn import functional as F

    net = load_plain(gpu).train()
    x = torch.from_numpy(image(size))
    label = torch.randint(0, 21, (1, *size))
    if gpu is not None:
        x, label = x.cuda(gpu), label.cuda(gpu)
    learned = [p for p in net.parameters() if p.requires_grad]
    sgd = torch.optim.SGD(learned, lr=1e-14, momentum=0.99, weight_decay=5e-4)

    def work():
        sgd.zero_grad()
        loss = F.cross_entropy(net(x), label, ignore_index=255, reduction='sum')
        loss.backward()
        sgd.step()

    return work


def opencv_forward(size, gpu, folder):
    import cv2

    net = cv2.dnn.readNetFromCaffe(
        str(ROOT / 'voc-fcn8s/deploy.prototxt'), str(folder / MODEL)
    )
    net.setInput(image(size))
    return lambda: net.forward()


CONTENDERS = {
    'forward, here': ours,
    'forward, plain PyTorch': plain_forward,
    'forward, OpenCV dnn': opencv_forward,
    'training, here': ours_train,
    'training, plain PyTorch': plain_train,
}


def report(names, times, memory, args):
    where = 'CPU' if args.gpu is None else f'GPU {args.gpu}'
    print(f'\nFCN-8s, {args.size}, {where}, {args.rounds} rounds\n')
    print('| pass | median s | min s | ratio to plain PyTorch | peak GB |')
    print('|---|---|---|---|---|')
    for name in names:
        median = statistics.median(times[name])
        base = times.get(name.split(',')[0] + ', plain PyTorch')
        ratio = f'{median / statistics.median(base):.2f}' if base else ''
        print(
            f'| {name} | {median:.3f} | {min(times[name]):.3f} | {ratio} | '
            f'{memory[name]:.2f} |'
        )


if __name__ == '__main__':
    main()
