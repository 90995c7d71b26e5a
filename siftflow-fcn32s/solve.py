"""FCN-32s on two tasks: one stream each, from the ILSVRC classifier."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402

RECIPE = solve.Recipe(
    start='vgg16-fcn',
    new=('score_fr_sem', 'score_fr_geo'),
    rounds=50,  # each followed by seg_tests
    iterations=2000,
    tests=(('score_sem', 'sem'), ('score_geo', 'geo')),
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
