"""Timer: how long something took, on the CPU or the GPU.

Caffe: util/benchmark.cpp. A GPU works behind the host's back, so in GPU mode
the time is taken between two events in its stream, not from the host's clock.
"""

import time

import torch

from caffe.device import device


class Timer:
    """start(), then stop(); `ms` has the milliseconds in between."""

    def __init__(self):
        self._begin = self._end = self._ms = None

    def start(self):
        self._end, self._begin = None, now()

    def stop(self):
        if self._begin is None:
            raise RuntimeError('Timer.stop without Timer.start')
        if self._end is None:
            self._end = now()
            self._ms = elapsed(self._begin, self._end)

    @property
    def ms(self):
        """Milliseconds from start to stop; still running, up to now."""
        self.stop()
        return self._ms


def now():
    """Seconds, or on a GPU an event in its current stream."""
    if device().type == 'cpu':
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device()))
    return event


def elapsed(begin, end):
    """Milliseconds between two moments; waits for the later one."""
    if isinstance(begin, float):
        return (end - begin) * 1e3
    end.synchronize()
    return begin.elapsed_time(end)
