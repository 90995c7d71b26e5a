"""Which classes count, by loops over classes."""

import numpy as np
import pytest

from data.nyud_layers import NYUDSegDataLayer
from data.pascalcontext_layers import PASCALContextSegDataLayer
from data.siftflow_layers import SIFTFlowSegDataLayer
from data.voc_layers import SBDDSegDataLayer, VOCSegDataLayer
from score import metrics
from score.protocols import EVERY, FOREGROUND, PRESENT, judge, of_data_layer

# class 2 is predicted and nowhere true, class 4 is neither
HIST = np.array(
    [
        [50, 3, 2, 5, 0],
        [4, 30, 0, 1, 0],
        [0, 0, 0, 0, 0],
        [2, 6, 1, 20, 0],
        [0, 0, 0, 0, 0],
    ]
)


def ious(hist, classes):
    return [
        hist[c, c] / (hist[c].sum() + hist[:, c].sum() - hist[c, c])
        for c in classes
    ]


def test_berkeleys_code_counts_a_predicted_class_that_is_absent_as_0():
    result = judge(HIST, EVERY)
    assert result.mean_iu == pytest.approx(np.mean(ious(HIST, [0, 1, 2, 3])))
    assert result.class_iu[2] == 0 and np.isnan(result.class_iu[4])
    for one, other in zip(result[:4], metrics(HIST)[:4]):
        assert one == other


def test_the_papers_count_only_classes_that_are_there():
    result, every = judge(HIST, PRESENT), judge(HIST, EVERY)
    assert result.mean_iu == pytest.approx(np.mean(ious(HIST, [0, 1, 3])))
    assert np.isnan(result.class_iu[[2, 4]]).all()
    assert result.mean_iu > every.mean_iu
    for name in ('overall_acc', 'mean_acc', 'fwavacc'):
        assert getattr(result, name) == pytest.approx(getattr(every, name))


def test_without_background_its_pixels_and_its_iu_are_left_out():
    result = judge(HIST, FOREGROUND)
    rest = HIST.copy()
    rest[0] = 0
    assert result.mean_iu == pytest.approx(np.mean(ious(rest, [1, 2, 3])))
    assert result.overall_acc == pytest.approx(50 / 64)
    accuracy = np.mean([30 / 35, 20 / 29])
    assert result.mean_acc == pytest.approx(accuracy)
    share = (35 * ious(rest, [1])[0] + 29 * ious(rest, [3])[0]) / 64
    assert result.fwavacc == pytest.approx(share)
    assert np.isnan(result.class_iu[0])
    assert HIST[0].sum() == 60, 'what was given is left alone'


def test_the_protocol_follows_from_what_reads_the_data():
    want = {
        VOCSegDataLayer: (EVERY,),
        SBDDSegDataLayer: (EVERY,),
        NYUDSegDataLayer: (EVERY,),
        SIFTFlowSegDataLayer: (PRESENT, EVERY),
        PASCALContextSegDataLayer: (FOREGROUND, EVERY),
    }
    for kind, protocols in want.items():
        assert of_data_layer(kind(None)) == protocols, kind
    derived = type('Mine', (SIFTFlowSegDataLayer,), {})
    assert of_data_layer(derived(None)) == (PRESENT, EVERY)
    assert of_data_layer(object()) == (EVERY,)
