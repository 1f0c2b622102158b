"""A case: a program, and what is done to the chip that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cosim.compare.chips import Comparison, compare_image
from cosim.golden.runner import GoldenRunner
from cosim.program.errors import Mismatch
from cosim.program.program import Program, configuration
from cosim.program.runner import Response, Runner
from cosim.program.stimulus import BackPressure, Step
from hw.spec import ChipShape

# A tick that is cut off by a reset at once; the host takes every flit from here on.
CLEAN = Step(np.zeros(0, np.uint64), go=True, reset_after=0, back_pressure=BackPressure(0, 0))


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to try on a chip, from power-up: `program` is loaded, then `steps` are played.

    All memories hold 0 before that: a runner for cases sees to it, since `hw.spec` does not.

    `comment` is for people, such as what differed; its lines stand at the head of the case's file.
    """

    program: Program
    steps: tuple[Step, ...]
    comment: str = ""

    @property
    def shape(self) -> ChipShape:
        return self.program.shape


def run_case(case: Case, runner: Runner) -> Response:
    """The HOST flits of each step.

    Raises what the runner raises: `Mismatch` for RTL that hangs, and of the golden model
    `ValueError` for steps that no chip of this shape can take.
    """
    program = replace(case.program)  # a runner that keeps chips has one for it alone
    return runner.run(program, [case.steps]).responses[0]


def against_golden(case: Case, rtl: Runner) -> tuple[str, int]:
    """The first thing that differs, as `difference` has it, and how many answers were expected.

    Raises `ValueError` for steps that no chip of this shape can take.
    """
    expected = run_case(case, GoldenRunner())
    return difference(case, expected, rtl), sum(map(len, expected))


def difference(case: Case, expected: Response, rtl: Runner) -> str:
    """The first thing that RTL answers otherwise, in words; "" if nothing. One that hangs does."""
    try:
        found = compare(case, expected, run_case(case, rtl)).first
    except Mismatch as hang:
        return str(hang)
    return "" if found is None else str(found)


def compare(case: Case, expected: Response, got: Response) -> Comparison:
    """What differs between two chips' responses to a case."""
    return compare_image(case.steps, expected, got)


def joined(cases: Sequence[Case]) -> tuple[Case, list[range]]:
    """One case that plays several of one shape after each other, with a reset between them.

    Also where in its steps each case's are. The memories keep what earlier cases have put there.
    """
    steps = list(cases[0].steps)
    places = [range(len(steps))]
    for case in cases[1:]:
        steps += [CLEAN, Step(configuration(case.program), go=False)]
        places.append(range(len(steps), len(steps) + len(case.steps)))
        steps += case.steps
    return Case(cases[0].program, tuple(steps)), places
