"""FCN-8s at once: all streams from the ILSVRC classifier."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402

RECIPE = solve.Recipe(
    start='vgg16-fcn',
    new=('score_fr', 'score_pool4', 'score_pool3'),
    rounds=75,  # of 4000 iterations, each followed by seg_tests
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
