"""What a check is: cases that reach the ends of one rule, and the rule's place in `hw.spec`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cosim.verify.case.case import Case
from hw.spec import ChipShape

MakeCases = Callable[[ChipShape, np.random.Generator], Iterator[Case]]


@dataclass(frozen=True)
class Check:
    """One rule under test.

    Attributes:
        name: of the check, as it is printed.
        rule: the rule of `hw.spec`, by its heading there, and what of it is tested.
        cases: makes the cases for a chip of a shape; all that is drawn comes from the generator.
    """

    name: str
    rule: str
    cases: MakeCases
