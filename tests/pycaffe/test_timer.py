"""caffe.Timer."""

import time

import pytest

import caffe


def test_a_timer_tells_milliseconds(device):
    timer = caffe.Timer()
    timer.start()
    time.sleep(0.02)
    timer.stop()
    first = timer.ms
    time.sleep(0.02)
    assert 15 < first < 2000 and timer.ms == first, 'it had stopped'
    timer.start()
    assert timer.ms < first, 'asking stops it, as in Caffe'


def test_a_timer_that_never_started_is_told():
    with pytest.raises(RuntimeError, match='without Timer.start'):
        caffe.Timer().stop()
