"""The command line: train, test, time and device_query as Caffe's program has
them, and two more: explain and upgrade.

Caffe: tools/caffe.cpp; spec section H. Where Caffe aborts, this logs the same
message at level FATAL and exits with status 1 (2 for a wrong call). Not here:
training on several GPUs.
"""

import math
import sys
import traceback
from pathlib import Path

from caffe.cli import logfile
from caffe.cli.device_query import device_query
from caffe.cli.explain import explain
from caffe.cli.flags import FLAGS, UsageError, parse
from caffe.cli.score import test
from caffe.cli.time import time
from caffe.cli.train import train
from caffe.cli.upgrade import upgrade
from caffe.log import init_log, logger

COMMANDS = {
    'train': (train, 'train or finetune a model'),
    'test': (test, 'score a model'),
    'device_query': (device_query, 'show GPU diagnostic information'),
    'time': (time, 'benchmark model execution time'),
    'explain': (explain, "NET: every blob's shape, stride and offset"),
    'upgrade': (upgrade, "OLD [NEW]: an old file in today's form"),
}
OPERANDS = {'explain': (1, math.inf), 'upgrade': (1, 2)}  # least, most
HOME = Path(__file__).resolve().parents[1]


def main(argv=None):
    """Gives: exit status"""
    try:
        flags, words = parse(sys.argv[1:] if argv is None else argv)
    except UsageError as error:
        print(f'ERROR: {error}', file=sys.stderr)
        return 2
    command, *operands = words or [None]
    least, most = OPERANDS.get(command, (0, 0))
    if flags.help or not words or not least <= len(operands) <= most:
        print(usage())
        return 0 if flags.help else 2
    if flags.minloglevel:
        init_log(flags.minloglevel)
    try:
        with logfile.open_in(flags.log_dir):
            return run(command, flags, operands)
    except KeyboardInterrupt:
        return 130


def run(command, flags, operands):
    if command not in COMMANDS:
        logger.error('Available caffe actions:')
        for name in sorted(COMMANDS):
            logger.error('\t%s', name)
        logger.critical('Unknown action: %s', command)
        return 1
    try:
        return COMMANDS[command][0](flags, *operands) or 0
    except (RuntimeError, OSError, ValueError, ImportError) as error:
        if not ours(error):
            traceback.print_exception(
                error.__class__, error, error.__traceback__
            )
        logger.critical('%s', error)
        return 1


def ours(error):
    """Was it raised by the engine, and not in a Python layer's own code?"""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return HOME in Path(frames[-1].f_code.co_filename).resolve().parents


def usage():
    lines = ['command line brew', 'usage: caffe <command> <args>', '']
    lines += ['commands:']
    lines += [f'  {name:15} {what}' for name, (_, what) in COMMANDS.items()]
    lines += ['', 'flags:']
    for name, flag in FLAGS.items():
        kind = type(flag.default).__name__
        lines.append(f'  -{name} ({flag.help}) type: {kind}')
    return '\n'.join(lines)
