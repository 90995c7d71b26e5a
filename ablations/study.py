"""What a study is made of, and the names of all edits.

An edit is a name and a value, `upsampling=learned`: a function that changes a
Variant in place. A study gives some combinations of them names, its arms.
"""

from collections.abc import Callable
from typing import NamedTuple

AS_PUBLISHED = 'published'


class Edit(NamedTuple):
    """One thing that can be changed in any network that has it.

    text        what it is, for `ablate.py`
    published   the value that networks are published with; AS_PUBLISHED if
                they differ in it: then that value, too, changes nothing
    values      {value: change(variant)}; or change(variant, number) for an
                edit that takes any number
    Raises, when it is applied: ValueError if the network lacks what it edits
    """

    text: str
    published: str
    values: dict | Callable


class Study(NamedTuple):
    """A question and the runs that answer it.

    question, method   of the page
    answer             the paper's, with the table or section it stands in;
                       or that none is known
    nets               network directories, unless --nets says others
    arms               {name: {edit: value}}; the first is what the others are
                       compared with. With a single arm and test the networks
                       are compared, with the first of them
    tests              {name: {edit: value}} of the val net alone: a run is
                       scored once for each
    published          {(net, arm) or (net, arm, test): mean IU in percent},
                       where the paper or its code say one
    kernels            whether the page shows what upsampling kernels became
    """

    question: str
    answer: str
    method: str
    nets: tuple
    arms: dict
    tests: dict = {'': {}}
    published: dict = {}
    kernels: bool = False
