"""FCN-8s: adds the stream of pool3 to a trained FCN-16s."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402

RECIPE = solve.Recipe(
    start='pascalcontext-fcn16s',
    new=('score_pool3',),
    rounds=50,  # each followed by seg_tests
    iterations=8000,
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
