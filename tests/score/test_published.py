"""The table of published networks, and tables of scores."""

import numpy as np

from data.classes import VOC as VOC_CLASSES
from score import metrics
from score.table import METRICS, class_table, metric_table
from weights.published import BY_DIRECTORY, NETWORKS, Score


def test_there_are_fifteen_networks_by_distinct_names():
    assert len(BY_DIRECTORY) == len(NETWORKS) == 15
    files = [n.file for n in NETWORKS if n.file]
    assert len(files) == len(set(files)) == 14


def test_addresses_end_in_the_file():
    for network in NETWORKS:
        if network.file:
            assert network.address.endswith(
                'berkeleyvision.org/' + network.file
            )
    assert BY_DIRECTORY['nyud-fcn32s-color-d'].address is None


def test_every_score_is_percent_and_has_a_source():
    for score in (s for network in NETWORKS for s in network.scores):
        assert score.source
        for metric in METRICS:
            assert 20 < (getattr(score, metric) or 50) < 100


def test_the_first_row_of_voc_is_that_of_the_published_file():
    best = {
        d: n.scores[0].mean_iu for d, n in BY_DIRECTORY.items() if 'voc' in d
    }
    assert best == {
        'voc-fcn32s': 63.6261,
        'voc-fcn16s': 65.0050,
        'voc-fcn8s': 65.5126,
        'voc-fcn8s-atonce': 65.3998,
        'voc-fcn-alexnet': 48.0,
    }


HIST = np.array([[6, 2, 0], [1, 1, 0], [0, 0, 0]])


def test_the_gap_stands_beside_the_published_row():
    row = Score('val', 9, 80.0, None, 45.0, 50.5, 'somewhere')
    text = metric_table(metrics(HIST)._replace(loss=12345.678), 'val', 9, row)
    assert text.splitlines() == [
        '                      here  published     gap',
        'overall accuracy     70.00      80.00  -10.00',
        'mean accuracy        62.50          -       -',
        'mean IU              45.83      45.00   +0.83',
        'fwavacc              58.33      50.50   +7.83',
        'loss per image     12345.7',
        'published: val (9 images), somewhere',
    ]


def test_other_images_have_no_gap():
    row = Score('val', 8, 80.0, 70.0, 45.0, 50.5, 'somewhere')
    text = metric_table(metrics(HIST), 'val', 9, row)
    assert 'gap' not in text.splitlines()[0]
    assert 'other images than here: no gap' in text


def test_without_a_published_row_there_is_only_ours():
    text = metric_table(metrics(HIST), 'val', 9)
    assert 'published' not in text
    assert 'mean IU              45.83' in text


def test_classes_stand_in_a_table_and_absent_ones_have_a_dash():
    text = class_table(metrics(HIST), HIST, ('background', 'cat', 'dog'))
    assert text.splitlines() == [
        '   class           IU  accuracy   pixels',
        ' 0 background   66.67     75.00   80.00%',
        ' 1 cat          25.00     50.00   20.00%',
        ' 2 dog              -         -    0.00%',
    ]


def test_classes_without_names_go_by_number():
    assert ' 2 2 ' in class_table(metrics(HIST), HIST, VOC_CLASSES)
