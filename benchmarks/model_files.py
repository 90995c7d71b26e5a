"""Times model files: loading FCN-8s into a built net beside OpenCV, saving it
beside a file copy.

    python benchmarks/model_files.py [--rounds 5] [--slim 8] [--folder DIR]

Every measurement is a process of its own, which begins with the file in the
page cache; the contenders take turns. Prints a Markdown table of medians, and
the peak memory of loading over the net's own parameters, in file sizes.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
NET, MODEL, COPY = 'net.prototxt', 'a.caffemodel', 'b.caffemodel'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--slim', type=int, default=1, help='divides widths')
    parser.add_argument('--folder', help='where to write (default: a new one)')
    parser.add_argument('--contender', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        print(json.dumps(CONTENDERS[args.contender](Path(args.folder))))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        prepare(Path(folder), args.slim)
        size = (Path(folder) / MODEL).stat().st_size
        report(race(folder, args.rounds), size, args.rounds)


def prepare(folder, slim):
    """Writes a net and a model of it with random numbers, in two formats."""
    import caffe
    from caffe.proto.text import read_net, to_text
    from nets import edits

    param = read_net(str(ROOT / 'voc-fcn8s/deploy.prototxt'))
    edits.slim(param, slim)
    (folder / NET).write_text(to_text(param))
    net = caffe.Net(param, caffe.TEST)
    for blobs in net.params.values():
        for blob in blobs:
            blob.tensor.normal_()
    net.save(str(folder / MODEL))
    net.save_hdf5(str(folder / f'{MODEL}.h5'))


def race(folder, rounds):
    """Gives: {contender: [what it measured, ...]}"""
    found = {name: [] for name in CONTENDERS}
    for round_ in range(rounds + 1):
        for name in CONTENDERS:
            command = [sys.executable, __file__, '--folder', folder]
            done = subprocess.run(
                [*command, '--contender', name],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            if round_:  # the first one fills the page cache
                found[name].append(json.loads(done.stdout))
        print(f'round {round_} of {rounds}', file=sys.stderr)
    return found


def timed(work):
    begin = time.perf_counter()
    work()
    return {'seconds': time.perf_counter() - begin}


def resident():
    """Memory of this process now, in bytes."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE')


def built(folder):
    import caffe

    return caffe.Net(str(folder / NET), caffe.TEST)


# contenders: folder -> {'seconds': ..., 'memory': bytes over the net's own} ---


def load(folder, end=''):
    net = built(folder)
    before = resident()
    own = sum(4 * blob.count for each in net.params.values() for blob in each)
    result = timed(lambda: net.copy_from(str(folder / MODEL) + end))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**result, 'memory': peak - before - own}


def load_hdf5(folder):
    return load(folder, '.h5')


def load_opencv(folder):
    import cv2

    return timed(
        lambda: cv2.dnn.readNetFromCaffe(str(folder / NET), str(folder / MODEL))
    )


def loaded(folder):
    net = built(folder)
    net.copy_from(str(folder / MODEL))
    return net


def save(folder):
    net = loaded(folder)
    return timed(lambda: net.save(str(folder / COPY)))


def save_hdf5(folder):
    net = loaded(folder)
    return timed(lambda: net.save_hdf5(str(folder / f'{COPY}.h5')))


def copy(folder):
    return timed(lambda: run_cp(folder))


def copy_to_disk(folder):
    """As saving does it: what is written is on the disk when it ends."""

    def work():
        run_cp(folder)
        handle = os.open(folder / COPY, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    return timed(work)


def run_cp(folder):
    subprocess.run(['cp', folder / MODEL, folder / COPY], check=True)


CONTENDERS = {
    'load, here': load,
    'load HDF5, here': load_hdf5,
    'load, OpenCV readNetFromCaffe': load_opencv,
    'save, here': save,
    'save HDF5, here': save_hdf5,
    'save, cp': copy,
    'save, cp and fsync': copy_to_disk,
}
BASES = {'load': 'load, OpenCV readNetFromCaffe', 'save': 'save, cp'}


def report(found, size, rounds):
    print(f'\nFCN-8s, {size / 1e6:.0f} MB, medians of {rounds} rounds\n')
    print('| work | seconds | ratio | peak memory over the net, in files |')
    print('|---|---|---|---|')
    medians = {
        name: statistics.median(r['seconds'] for r in results)
        for name, results in found.items()
    }
    for name, results in found.items():
        base = BASES[name.replace(',', ' ').split()[0]]
        memory = [r['memory'] / size for r in results if 'memory' in r]
        peak = f'{statistics.median(memory):.2f}' if memory else ''
        ratio = medians[name] / medians[base]
        print(f'| {name} | {medians[name]:.3f} | {ratio:.2f} | {peak} |')


if __name__ == '__main__':
    main()
