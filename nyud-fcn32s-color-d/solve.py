"""FCN-32s on colour and depth, from the ILSVRC classifier of colour alone."""

import sys
from pathlib import Path

# The root first: this file, too, is called solve.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import solve  # noqa: E402
import surgery  # noqa: E402


def plant(net, start):
    """All of the trunk, and a first layer that sees depth as a mean colour."""
    surgery.transplant(net, start)
    if 'conv1_1' in start.params:  # else it has four inputs already
        surgery.add_inputs(net, 'conv1_1_bgrd', start, 'conv1_1')


RECIPE = solve.Recipe(
    start='vgg16-fcn',
    new=('score_fr',),
    rounds=50,  # each followed by seg_tests
    iterations=2000,
    plant=plant,
)

if __name__ == '__main__':
    sys.exit(solve.main(__file__))
