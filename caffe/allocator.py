"""Keeps the memory of freed CPU tensors in the process for the next ones.

glibc gives every large block straight back to the kernel, which clears each
page anew when the next pass asks for it: a fifth of a training iteration, and
more on virtual machines. Elsewhere than on glibc nothing happens. GPUs have
torch's caching allocator.
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h
NEVER = 2**31 - 1


def keep_memory():
    """Blocks of any size come from the heap, and the heap does not shrink.

    Gives: whether the C library has taken that
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc
        return False
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, NEVER))
