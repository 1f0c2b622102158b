"""Whether golden model and RTL agree on cases: many of them in one process of the simulator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cosim.compare.chips import Comparison, compare_image
from cosim.golden.runner import GoldenRunner
from cosim.program.errors import Mismatch
from cosim.program.program import configuration
from cosim.program.runner import Response, Runner
from cosim.rtl.choice import Choice, runner_of
from cosim.rtl.runner import verilator
from cosim.rtl.simulator.build import build
from cosim.verify.case.case import Case, against_golden, joined, run_case
from hw.spec import ChipShape

PATIENCE = 1 << 18  # cycles without anything at the pins: more than any drawn case needs
HANGS = "the RTL hangs"


def chip(choice: Choice, shape: ChipShape) -> Runner:
    """The chosen RTL as `runner_of` has it for cases, and not waited for too long."""
    if choice.simulator == "verilator":
        simulator = replace(build(shape, design=choice.design), patience=PATIENCE)
        return replace(verilator(simulator, front_door=True), clears=choice.design is not None)
    return runner_of(choice, shape, front_door=True, cleared=True)


@dataclass(frozen=True)
class Trial:
    """Tries cases on golden model and `rtl`."""

    rtl: Runner

    def difference(self, case: Case) -> str:
        """The first thing that differs in this case alone, in words; "" if nothing does."""
        return against_golden(case, self.rtl)[0]

    def failing(self, cases: Sequence[Case]) -> list[int]:
        """The numbers of the cases that differ, played one after the other in one process.

        Those behind the first may differ because of what was there before them.
        """
        if not cases:
            return []
        case, places = joined(cases)
        expected = run_case(case, GoldenRunner())
        try:
            got = run_case(case, self.rtl)
        except Mismatch:  # which of them hangs, smaller batches tell
            if len(cases) == 1:
                return [0]
            half = len(cases) // 2
            second = self.failing(cases[half:])
            return [*self.failing(cases[:half]), *(half + number for number in second)]
        return [
            number
            for number, place in enumerate(places)
            if _part(case, place, expected, got).first is not None
        ]


def _part(case: Case, place: range, expected: Response, got: Response) -> Comparison:
    steps = slice(place.start, place.stop)
    return compare_image(case.steps[steps], expected[steps], got[steps])


def valid(case: Case) -> bool:
    """Whether a chip can take this case; the golden model refuses it otherwise."""
    try:
        run_case(case, GoldenRunner())
    except ValueError:
        return False
    return True


def size(case: Case) -> int:
    """Flits that go in, those that load the program among them."""
    return len(configuration(case.program)) + sum(len(step.flits) for step in case.steps)
