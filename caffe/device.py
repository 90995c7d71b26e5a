"""Where numbers are computed (CPU or one GPU), and the random generators.

pycaffe: set_mode_cpu, set_mode_gpu, set_device, set_random_seed. As in Caffe
the mode is global and may change between two passes of the same net.
"""

import random

import torch


class _State:
    gpu = False
    index = 0
    seed = None  # None: every generator starts anywhere
    generators = {}  # torch.device -> torch.Generator


def device():
    """The torch.device that the current mode computes on."""
    return torch.device('cuda', _State.index) if _State.gpu else CPU


def set_mode_cpu():
    _State.gpu = False


def set_mode_gpu():
    """Computes on the GPU from now on, in float32 proper: TF32 is switched
    off, because it keeps 10 bits of the mantissa and Caffe kept 23.

    Raises: RuntimeError without a usable GPU
    """
    if not torch.cuda.is_available():
        raise RuntimeError(
            'Cannot use GPU: PyTorch sees none (torch.cuda.is_available() is '
            'False). Check nvidia-smi and the installed build of torch, or '
            'call caffe.set_mode_cpu().'
        )
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    _State.gpu = True


def set_device(index):
    """Chooses the GPU by number; set_mode_gpu switches it on."""
    count = torch.cuda.device_count()
    if count and not 0 <= index < count:
        raise RuntimeError(f'no GPU {index}: this machine has {count}')
    _State.index = index


def set_random_seed(seed):
    """Seeds fillers and dropout (Caffe: one mt19937 for both; the sequence is
    torch's, only its statistics are Caffe's)."""
    _State.seed = seed
    for generator in _State.generators.values():
        generator.manual_seed(seed)


def generator(on=None):
    """The generator of fillers and dropout for one device."""
    on = on or device()
    if on not in _State.generators:
        seed = _State.seed
        made = torch.Generator(on)
        made.manual_seed(
            random.SystemRandom().getrandbits(63) if seed is None else seed
        )
        _State.generators[on] = made
    return _State.generators[on]


def generators():
    """Those that have been used: {torch.device: torch.Generator}"""
    return dict(_State.generators)


CPU = torch.device('cpu')
