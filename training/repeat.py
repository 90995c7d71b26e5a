"""What it takes to repeat a run: the command, versions and machine at the head
of its log; beside it, the prototxts as they were, in a folder of its name.
"""

import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL
import torch

from caffe.proto.files import replacing
from data.datasets import DATASETS
from networks import ROOT


def head(place, python='python'):
    """Lines for a log. Takes: place: the working directory of the command;
    python: what it began with"""
    versions = {
        'python': platform.python_version(),
        'torch': torch.__version__,
        'numpy': np.__version__,
        'pillow': PIL.__version__,
        'commit': commit(),
    }
    if torch.cuda.is_available():
        versions['CUDA'] = torch.version.cuda
        versions['cuDNN'] = torch.backends.cudnn.version()
    named = (dataset.env for dataset in DATASETS if os.environ.get(dataset.env))
    data = ', '.join(f'{env}={os.environ[env]}' for env in named)
    return [
        f'command: {python} {shlex.join(sys.argv)} in {place}',
        'versions: ' + ', '.join(f'{k} {v}' for k, v in versions.items()),
        f'data: {data or "in their usual places"}',
    ]


def commit():
    """Of this code, as git says; unknown without git, or not a checkout."""
    if not (ROOT / '.git').exists():
        return 'unknown'
    words = 'describe --always --dirty --abbrev=40 --exclude=*'.split()
    try:
        found = subprocess.run(
            ['git', '-C', str(ROOT), *words],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return found.stdout.strip()


def threads():
    count = torch.get_num_threads()
    return f'{count} thread{"s" * (count > 1)}'


def keep_prototxts(solver, path, place):
    """Copies the solver file and the nets it names, those that are not there
    yet; one that has been edited since gets the iteration into its name.

    Takes: path: of the solver file; place: folder
    Gives: the copies' names; of those made as there were others, (the first
        copy, this one)
    """
    param, names, edited = solver.param, [], []
    sources = [path, param.net, param.train_net, *param.test_net]
    place.mkdir(exist_ok=True)
    for source in map(Path, dict.fromkeys(filter(None, sources))):
        text, stem = source.read_bytes(), source.stem
        known = [place / source.name, *place.glob(f'{stem}-*{source.suffix}')]
        same = [p for p in known if p.is_file() and p.read_bytes() == text]
        copy = same[0] if same else known[0]
        if not same:
            if copy.exists():
                copy = place / f'{stem}-{solver.iter}{source.suffix}'
                edited.append((known[0].name, copy.name))
            with replacing(copy) as temporary:
                Path(temporary).write_bytes(text)
        names.append(copy.name)
    return names, edited
