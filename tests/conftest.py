"""What every test starts from: CPU mode, known seeds."""

from pathlib import Path

import pytest
import torch

import caffe

GOLDENS = Path(__file__).parent / 'goldens'


@pytest.fixture(autouse=True)
def clean_state():
    caffe.set_mode_cpu()
    caffe.set_random_seed(1337)
    torch.manual_seed(1337)
    yield
    caffe.set_mode_cpu()


@pytest.fixture(params=['cpu', pytest.param('gpu', marks=pytest.mark.gpu)])
def device(request):
    """Runs the test on the CPU and, where asked with -m gpu, on the GPU."""
    if request.param == 'gpu':
        caffe.set_mode_gpu()
    return request.param


@pytest.fixture
def goldens():
    """The folder of what Caffe 1.0 computed (README.md there)."""
    return GOLDENS
