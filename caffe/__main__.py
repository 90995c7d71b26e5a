"""`python -m caffe <command> <flags>`: what the program `caffe` was."""

import sys

from caffe.cli import main

sys.exit(main())
