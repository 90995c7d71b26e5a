"""FCN-16s: adds the stream of pool4 to a trained FCN-32s."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402

RECIPE = solve.Recipe(
    start='voc-fcn32s',
    new=('score_pool4',),
    rounds=25,  # of 4000 iterations, each followed by seg_tests
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
