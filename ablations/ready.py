"""What the runs of a study need before the first of them begins: one message,
not one for every run and days later. What it cannot foresee fails in the run.
"""

import solve
from ablations.train import starts, variant_of
from training import needs
from weights.load import choose_device


def must_be_ready(runs, shapes, device, start):
    """Refuses runs of which one could not begin.

    Takes: runs: that have not finished; the others: see train.train
    Raises: ValueError with a line for each thing that is missing or wrong
    """
    faults = of_device(device) if runs else []
    for run in runs:
        try:
            variant_of(run, shapes)
            starts(run, solve.recipe_of(run.source), start)
        except ValueError as error:
            faults.append(str(error))
    for source in dict.fromkeys(run.source for run in runs):
        faults += [need.fault for need in needs.images(source) if need.fault]
    if faults:
        lines = '\n    '.join(dict.fromkeys(faults))
        raise ValueError(f'not ready:\n    {lines}')


def of_device(device):
    try:
        choose_device(device)
    except (ValueError, RuntimeError) as error:
        return [f'{error} Without a GPU: `cpu` as the last word']
    return []
