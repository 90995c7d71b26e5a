"""The papers' questions, as one command each:

    python ablate.py                          the studies, and what they ask
    python ablate.py upsampling --seeds 3 0   runs one on GPU 0, to a page
    python ablate.py upsampling stride --shapes
    python ablate.py show voc-fcn8s upsampling=learned

--shapes asks slim networks on the generated dataset, in minutes on a CPU.
What is finished is not done again, what was stopped goes on, so the same
command continues a study; its runs are in OUT/runs, its page in OUT/STUDY.
"""

import argparse
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / 'data'))  # for `module: "voc_layers"`

from ablations.conduct import studies  # noqa: E402
from ablations.studies import EDITS, STUDIES, apply  # noqa: E402
from ablations.variant import Variant, diff  # noqa: E402
from data.datasets import DATASETS  # noqa: E402


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    try:
        if not argv:
            return overview()
        if argv[0] == 'show':
            return show(argv[1:])
        return studies(arguments(argv))
    except KeyboardInterrupt:
        print('ablate.py: stopped at once', file=sys.stderr)
        return 130
    except (OSError, ValueError, RuntimeError) as error:
        print(f'ablate.py: {error}', file=sys.stderr)
        return 1


def overview():
    for name, study in STUDIES.items():
        print(name)
        for text in (study.question, f'Paper: {study.answer}'):
            print(textwrap.indent(textwrap.fill(text, 74), '    '))
        arms = '; '.join(study.arms) or 'no training'
        text = f'Arms: {arms}. Of {", ".join(study.nets)}'
        print(textwrap.indent(textwrap.fill(text, 74), '    '))
    print('\nedits, for `ablate.py show NET EDIT=VALUE ...`:')
    for name, edit in EDITS.items():
        values = 'a number'
        if not callable(edit.values):
            values = ', '.join(edit.values)
        print(f'    {name:12} {edit.text}: {values} ({edit.published})')
    return 0


def show(argv):
    """Prints what edits change in a network's files."""
    if not argv or not all('=' in word for word in argv[1:]):
        raise ValueError('usage: ablate.py show NET EDIT=VALUE ...')
    before = Variant.read(argv[0])
    wanted = dict(word.split('=', 1) for word in argv[1:])
    if len(wanted) < len(argv) - 1:
        raise ValueError(f'{" ".join(argv[1:])}: an edit twice')
    after = apply(before.copy(), wanted)
    lines = diff(before, after)
    print('\n'.join(lines or ['nothing changes: this is what is published']))
    return 0


def arguments(argv):
    parser = argparse.ArgumentParser(
        'python ablate.py',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # the words are given on to the runs
    )
    add = parser.add_argument
    add('studies', nargs='+', metavar='STUDY', help=', '.join(STUDIES))
    add(
        '--nets',
        nargs='+',
        metavar='NET',
        help='network directories, instead of those of the study',
    )
    add('--seeds', type=positive, default=3, metavar='N', help='%(default)s')
    add(
        '--iterations',
        type=positive,
        metavar='N',
        help='of voc-fcn32s; of the others as many as their published '
        'schedules have in proportion; without, the published schedules',
    )
    add(
        '--shapes',
        action='store_true',
        help='slim networks on the generated dataset',
    )
    add(
        '--jobs',
        type=positive,
        metavar='N',
        help='runs at a time (1; with --shapes one for each core)',
    )
    add('--out', default='studies', metavar='DIR', help='%(default)s')
    add(
        '--print',
        action='store_true',
        help='print the command of every run that is not finished, those '
        'that others start from first; run nothing. When all have finished, '
        'the same without --print writes the pages',
    )
    add('--only', metavar='RUN', help='one run, as --print names it')
    for dataset in DATASETS:
        add(
            f'--{dataset.option}',
            metavar='DIR',
            help=f'{dataset}, instead of {dataset.home}',
        )
    args = parser.parse_intermixed_args(argv)
    *names, last = args.studies
    args.device = last if last == 'cpu' or last.isdigit() else None
    if args.device is None:
        names.append(last)
        args.device = 'cpu' if args.shapes else '0'
    args.studies = names
    unknown = [name for name in names if name not in STUDIES]
    if unknown or not names:
        parser.error(f'no study {" ".join(unknown)}; have {", ".join(STUDIES)}')
    if args.print and args.only:
        parser.error('--print lists all runs: leave --only out')
    args.argv = argv
    return args


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


if __name__ == '__main__':
    sys.exit(main())
