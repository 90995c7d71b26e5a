"""FCN-32s on colour and on HHA, from a trained net for each."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402
import surgery  # noqa: E402


def plant(net, color, hha):
    """Both nets side by side, up to their scores."""
    surgery.transplant(net, color, 'color')
    surgery.transplant(net, hha, 'hha')


RECIPE = solve.Recipe(
    start=('nyud-fcn32s-color', 'nyud-fcn32s-hha'),
    new=(),
    rounds=50,  # each followed by seg_tests
    iterations=2000,
    plant=plant,
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
