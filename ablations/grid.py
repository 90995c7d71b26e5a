"""The runs of a study: which there are, where they lie, what they wait for.

A run's folder is a network directory that solve.py could train, too:

    OUT/runs/DATASET/EDITS/seed-S-iterations-N/NETWORK

Edits that say what is published anyhow are left out of its name, so studies
with runs in common share them. A staged network starts from the run of the
same edits and seed before it, if the study has that; if not, from a published
or trained one, as its recipe says, or on the generated dataset, where there
are none, from one without edits.
"""

from pathlib import Path
from typing import NamedTuple

import networks
import solve
from ablations import result
from ablations.studies import EDITS, STUDIES
from data import shapes
from training.needs import CLASSIFIERS

ROUNDS = 25  # of the published schedules, most of which have as many


class Settings(NamedTuple):
    """What runs have in common.

    out         folder of runs and pages
    seeds       how many, counted from 1
    iterations  of a network whose recipe has ROUNDS rounds, others in
                proportion; None: as published
    shapes      whether on the generated dataset, with slim networks
    """

    out: Path
    seeds: int
    iterations: int | None
    shapes: bool


class Run(NamedTuple):
    """One training.

    source  directory of the network that the edits change
    edits   {name: value} that differ from what is published
    needs   Runs whose model this one starts from
    tests   names of the tests that its result must have
    """

    source: Path
    edits: dict
    seed: int
    iterations: int
    folder: Path
    needs: tuple
    tests: tuple

    @property
    def network(self):
        return self.source.name

    @property
    def name(self):
        """Tells it from the others of its folder `runs`."""
        return '/'.join(self.folder.parts[-4:])

    @property
    def finished(self):
        known = result.tests_of(self.folder)
        return known is not None and set(self.tests) <= set(known)

    @property
    def model(self):
        return self.folder / f'snapshot/train_iter_{self.iterations}.caffemodel'


def cells(name, settings, nets=None):
    """The runs of a study. Gives: {(net, arm): [Run for each seed]}

    Takes: nets: instead of the study's own; may lie elsewhere
    Raises: FileNotFoundError if a network is not there; ValueError if two
        have one name
    """
    study, sources = STUDIES[name], {}
    for net in nets or study.nets:
        source = networks.folder(net)
        if sources.setdefault(source.name, source) != source:
            raise ValueError(
                f'{sources[source.name]} and {source} have one name: a study '
                'could not tell them apart. Give one of them another'
            )
    return {
        (net, arm): [
            run(source, edits, seed, sources, settings, tuple(study.tests))
            for seed in range(1, settings.seeds + 1)
        ]
        for net, source in sources.items()
        for arm, edits in study.arms.items()
    }


def run(source, edits, seed, sources, settings, tests):
    """Takes: sources: {network: directory} of those that are trained with
    the same edits and seed; the others: see Run"""
    edits = {
        name: value
        for name, value in sorted(edits.items())
        if value != EDITS[name].published
    }
    recipe = solve.recipe_of(source)
    count = recipe.rounds * recipe.iterations
    if settings.iterations:
        count = -(-settings.iterations * recipe.rounds // ROUNDS)
    named = ','.join(f'{k}={v}' for k, v in edits.items()) or 'as-published'
    dataset = f'shapes-{shapes.VERSION}' if settings.shapes else 'full'
    return Run(
        source,
        edits,
        seed,
        count,
        settings.out
        / 'runs'
        / dataset
        / named
        / f'seed-{seed}-iterations-{settings.iterations or "published"}'
        / source.name,
        tuple(
            run(
                sources.get(start, networks.ROOT / start),
                edits if start in sources else {},
                seed,
                sources,
                settings,
                tests,
            )
            for start in recipe.starts
            if start in sources
            or (settings.shapes and start not in CLASSIFIERS)
        ),
        tests,
    )


def in_order(runs):
    """Every run once, with the tests of all studies it is part of; none before
    what it needs."""
    found = {}

    def add(each):
        for need in each.needs:
            add(need)
        known = found.get(each.folder, each)
        tests = tuple(dict.fromkeys(known.tests + each.tests))
        found[each.folder] = each._replace(tests=tests)

    for each in runs:
        add(each)
    return list(found.values())
