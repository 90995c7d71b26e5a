"""Which GPU a command computes on. Caffe: tools/caffe.cpp, get_gpus."""

import torch

from caffe.device import set_device, set_mode_cpu, set_mode_gpu
from caffe.log import logger


def listed(flag):
    """The numbers in a -gpu flag: '0', '0,1', 'all'."""
    if flag == 'all':
        return list(range(torch.cuda.device_count()))
    try:
        return [int(number) for number in flag.split(',') if number]
    except ValueError:
        raise RuntimeError(
            f"-gpu {flag}: give the number of a GPU, or 'all'"
        ) from None


def choose(flag):
    """Sets the mode for test and time: as in Caffe, the first GPU listed."""
    gpus = listed(flag)
    if flag == 'all' and not gpus:
        set_mode_gpu()  # which says that there is none
    if not gpus:
        logger.info('Use CPU.')
        return set_mode_cpu()
    logger.info('Use GPU with device ID %d', gpus[0])
    use(gpus[0])
    logger.info('GPU device name: %s', name(gpus[0]))


def use(index):
    set_device(index)
    set_mode_gpu()


def name(index):
    return torch.cuda.get_device_name(index)
