"""`device_query`: what the driver says about each GPU.

Caffe: common.cpp, DeviceQuery; spec section H. Asked is the CUDA driver, as
PyTorch tells only a part.
"""

import ctypes

import torch

from caffe.cli import gpus
from caffe.log import logger

# numbers of cuda.h's CUdevice_attribute
ATTRIBUTES = {
    'Major revision number:': (75,),
    'Minor revision number:': (76,),
    'Total shared memory per block:': (8,),
    'Total registers per block:': (12,),
    'Warp size:': (10,),
    'Maximum memory pitch:': (11,),
    'Maximum threads per block:': (1,),
    'Maximum dimension of block:': (2, 3, 4),
    'Maximum dimension of grid:': (5, 6, 7),
    'Clock rate:': (13,),
    'Total constant memory:': (9,),
    'Texture alignment:': (14,),
    'Concurrent copy and execution:': (15,),
    'Number of multiprocessors:': (16,),
    'Kernel execution timeout:': (17,),
}
YES_OR_NO = 'Concurrent copy and execution:', 'Kernel execution timeout:'


def device_query(flags):
    logger.info('Querying GPUs %s', flags.gpu)
    if not torch.cuda.is_available():
        raise RuntimeError('Cannot use GPU in CPU-only Caffe: check mode.')
    attribute = driver()
    for index in gpus.listed(flags.gpu):
        count = torch.cuda.device_count()
        if not 0 <= index < count:
            raise RuntimeError(f'no GPU {index}: this machine has {count}')
        for label, value in query(index, attribute):
            logger.info('%-31s%s', label, value)


def driver():
    """A function (attribute number, device number) -> value."""
    try:
        cuda = ctypes.CDLL('libcuda.so.1')
    except OSError:
        cuda = ctypes.CDLL('nvcuda.dll')  # Windows
    checked(cuda.cuInit(0))

    def attribute(number, index):
        handle, value = ctypes.c_int(), ctypes.c_int()
        checked(cuda.cuDeviceGet(ctypes.byref(handle), index))
        checked(cuda.cuDeviceGetAttribute(ctypes.byref(value), number, handle))
        return value.value

    return attribute


def checked(status):
    if status:
        raise RuntimeError(f'the CUDA driver answers with error {status}')


def query(index, attribute):
    """Gives: (label, value) pairs, in Caffe's order"""
    properties = torch.cuda.get_device_properties(index)
    found = {}
    for label, numbers in ATTRIBUTES.items():
        values = [attribute(number, index) for number in numbers]
        if label in YES_OR_NO:
            values = ['Yes' if values[0] else 'No']
        found[label] = ', '.join(map(str, values))
    rows = list(found.items())
    first = [('Device id:', index), *rows[:2], ('Name:', properties.name)]
    memory = ('Total global memory:', properties.total_memory)
    return [*first, memory, *rows[2:]]
