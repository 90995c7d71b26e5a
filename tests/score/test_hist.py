"""score.hist against counting one pixel at a time."""

import numpy as np
import pytest
import torch

from score import fast_hist, metrics
from score.hist import argmax


def hist_by_loops(true, pred, n):
    hist = np.zeros((n, n), int)
    for t, p in zip(true.ravel(), pred.ravel()):
        if 0 <= t < n:
            hist[int(t), int(p)] += 1
    return hist


def metrics_by_loops(hist):
    n = len(hist)
    total = sum(hist[i][j] for i in range(n) for j in range(n))
    acc, iu, weighted = [], [], 0
    for i in range(n):
        row = sum(hist[i][j] for j in range(n))
        union = row + sum(hist[j][i] for j in range(n)) - hist[i][i]
        if row:
            acc.append(hist[i][i] / row)
            weighted += row / total * hist[i][i] / union
        if union:
            iu.append(hist[i][i] / union)
    overall = sum(hist[i][i] for i in range(n)) / total
    return overall, sum(acc) / len(acc), sum(iu) / len(iu), weighted


def labels(shape, n, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.integers(-1, n + 2, shape)
    true[rng.random(shape) < 0.2] = 255
    return true, rng.integers(0, n, shape)


def test_rows_are_true_and_columns_are_predicted():
    hist = fast_hist(np.array([2, 2, 2, 0]), np.array([1, 1, 2, 0]), 3)
    assert hist.tolist() == [[1, 0, 0], [0, 0, 0], [0, 2, 1]]


@pytest.mark.parametrize('kind', [np.uint8, np.int16, np.int64, np.float32])
def test_arrays_count_as_loops_do(kind):
    true, pred = labels((7, 11), 5)
    if kind is np.uint8:
        true = true % 256
    hist = fast_hist(true.astype(kind), pred, 5)
    assert isinstance(hist, np.ndarray)
    assert hist.dtype == np.int64
    assert (hist == hist_by_loops(true, pred, 5)).all()


@pytest.mark.parametrize('kind', [torch.uint8, torch.int64, torch.float32])
def test_tensors_count_as_loops_do(kind):
    true, pred = labels((13, 3), 4, seed=1)
    true = true % 256
    hist = fast_hist(torch.tensor(true, dtype=kind), torch.tensor(pred), 4)
    assert isinstance(hist, torch.Tensor)
    assert (hist.numpy() == hist_by_loops(true, pred, 4)).all()


def test_labels_of_a_read_only_array_and_nan_are_fine():
    true = np.array([0, np.nan, 1, np.inf])
    true.flags.writeable = False
    assert fast_hist(true, np.array([1, 1, 1, 1]), 2).tolist() == [
        [0, 1],
        [0, 1],
    ]


def test_more_classes_than_the_label_type_holds():
    hist = fast_hist(np.array([7], np.uint8), np.array([299]), 300)
    assert hist.sum() == hist[7, 299] == 1


def test_only_ignored_pixels_give_an_empty_histogram():
    hist = fast_hist(np.full((2, 5), 255), np.zeros((2, 5), int), 3)
    assert hist.shape == (3, 3)
    assert not hist.any()


def test_a_prediction_out_of_range_is_refused():
    with pytest.raises(ValueError, match='classes 1 to 3 do not .* 0 to 2'):
        fast_hist(np.array([0, 1]), np.array([3, 1]), 3)


def test_a_prediction_out_of_range_on_an_ignored_pixel_does_not_matter():
    hist = fast_hist(np.array([255, 1]), np.array([9, 0]), 2)
    assert hist.tolist() == [[0, 0], [1, 0]]


def test_different_sizes_are_refused():
    with pytest.raises(ValueError, match='6 true labels for 5 predictions'):
        fast_hist(np.zeros((2, 3)), np.zeros(5), 2)


def test_the_lowest_class_wins_a_tie():
    scores = torch.tensor([1.0, 3.0, 3.0, 0.0, 3.0]).reshape(5, 1, 1)
    scores = scores.expand(5, 2, 3).clone()
    scores[4, 1, 2] = 4
    assert argmax(scores).tolist() == [[1, 1, 1], [1, 1, 4]]


def test_metrics_are_those_of_loops():
    true, pred = labels((31, 17), 6, seed=2)
    hist = fast_hist(true, pred, 6)
    found = metrics(hist)
    assert found[:4] == pytest.approx(metrics_by_loops(hist.tolist()))
    assert found.class_iu[3] == pytest.approx(
        hist[3, 3] / (hist[3].sum() + hist[:, 3].sum() - hist[3, 3])
    )


def test_a_known_histogram_has_the_known_metrics():
    found = metrics(np.array([[6, 2], [1, 1]]))
    assert found.overall_acc == pytest.approx(7 / 10)
    assert found.mean_acc == pytest.approx((6 / 8 + 1 / 2) / 2)
    assert found.mean_iu == pytest.approx((6 / 9 + 1 / 4) / 2)
    assert found.fwavacc == pytest.approx(0.8 * 6 / 9 + 0.2 * 1 / 4)


def test_an_absent_class_drops_out_of_the_means():
    hist = np.array([[5, 0, 1], [0, 0, 0], [2, 0, 3]])
    found = metrics(hist)
    assert np.isnan(found.class_iu[1])
    assert np.isnan(found.class_acc[1])
    assert found[:4] == pytest.approx(metrics_by_loops(hist.tolist()))


def test_a_class_that_is_only_predicted_has_iu_zero():
    found = metrics(np.array([[5, 1], [0, 0]]))
    assert found.class_iu.tolist() == [5 / 6, 0]
    assert found.mean_iu == pytest.approx(5 / 12)
    assert found.mean_acc == pytest.approx(5 / 6)


def test_an_empty_histogram_has_no_metrics():
    assert all(np.isnan(value) for value in metrics(np.zeros((3, 3)))[:4])


def test_metrics_of_a_tensor_are_those_of_its_array():
    hist = torch.tensor([[6, 2], [1, 1]])
    assert metrics(hist)[:4] == metrics(hist.numpy())[:4]


@pytest.mark.gpu
def test_counting_on_the_gpu_stays_there():
    true, pred = labels((37, 53), 21, seed=3)
    hist = fast_hist(torch.tensor(true), torch.tensor(pred).cuda(), 21)
    assert hist.is_cuda
    assert (hist.cpu().numpy() == hist_by_loops(true, pred, 21)).all()
