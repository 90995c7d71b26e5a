"""The studies, a module each, and the edits that they and `show` know.

A module has STUDY and, where it needs edits of its own, EDITS.
"""

from ablations.studies import (
    dropout,
    frozen,
    fusion,
    masking,
    optimisation,
    padding,
    skip_scale,
    stride,
    upper_bound,
    upsampling,
)
from ablations.study import AS_PUBLISHED

MODULES = {
    'upsampling': upsampling,
    'stride': stride,
    'frozen': frozen,
    'optimisation': optimisation,
    'skip-scale': skip_scale,
    'padding': padding,
    'fusion': fusion,
    'dropout': dropout,
    'masking': masking,
    'upper-bound': upper_bound,
}
STUDIES = {name: module.STUDY for name, module in MODULES.items()}
EDITS = {
    name: edit
    for module in MODULES.values()
    for name, edit in getattr(module, 'EDITS', {}).items()
}


def apply(variant, edits):
    """Changes a Variant in place. Takes: edits: {name: value}

    Raises: ValueError if an edit or its value is not known, or the network
        has nothing that it changes
    """
    for name, value in edits.items():
        if name not in EDITS:
            raise ValueError(
                f'no edit {name!r}; have {", ".join(sorted(EDITS))}'
            )
        values = EDITS[name].values
        if value == AS_PUBLISHED == EDITS[name].published:
            continue
        if callable(values):
            values(variant, number(name, value))
        elif value in values:
            values[value](variant)
        else:
            raise ValueError(
                f'{name}={value}: no such value; have {", ".join(values)}'
            )
    return variant


def number(name, value):
    try:
        return float(value)
    except ValueError:
        raise ValueError(f'{name}={value}: that is no number') from None
