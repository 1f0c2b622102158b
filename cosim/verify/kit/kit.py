"""All checks in their order, and what came of each on one chip."""

import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cosim.program.runner import Runner
from cosim.verify.case.case import Case, against_golden, joined
from cosim.verify.kit.check import Check
from cosim.verify.kit.memories import COUNTERS, MEMORIES
from cosim.verify.kit.mesh import MESH
from cosim.verify.kit.programs import PROGRAMS
from cosim.verify.kit.ticks import TICKS
from hw.spec import ChipShape

CHECKS: tuple[Check, ...] = (*MEMORIES, *TICKS, *COUNTERS, *MESH, *PROGRAMS)


@dataclass(frozen=True)
class Verdict:
    """What came of a check.

    Attributes:
        check: what was asked for.
        cases: how many were tried.
        answers: HOST flits that were compared.
        difference: the first thing that differed; empty where nothing did.
        case: the case that showed it, alone if it fails alone.
        seconds: what it took.
    """

    check: Check
    cases: int
    answers: int
    difference: str = ""
    case: Case | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Nothing differed, and there was something that could have."""
        return not self.difference and self.answers > 0

    @property
    def reason(self) -> str:
        """Why it did not pass."""
        return self.difference or "nothing was compared"

    @property
    def file(self) -> str:
        """Name of the file that keeps its case."""
        return f"{self.check.name.replace(' ', '-')}.txt"


def verdicts(
    shape: ChipShape, rtl: Runner, seed: int, checks: Sequence[Check] = CHECKS
) -> Iterator[Verdict]:
    """The verdict of each check; one that fails does not end the others.

    Raises what the simulator raises, but for RTL that hangs, which is a difference.
    """
    for check in checks:
        # Each has random numbers of its own, whichever others run.
        rng = np.random.default_rng([seed, zlib.crc32(check.name.encode())])
        start = time.monotonic()
        found = _verdict(check, list(check.cases(shape, rng)), rtl)
        yield replace(found, seconds=time.monotonic() - start)


def _verdict(check: Check, cases: list[Case], rtl: Runner) -> Verdict:
    """All cases in one simulator process; where they differ, one after the other."""
    whole = joined(cases)[0]
    difference, answers = against_golden(whole, rtl)
    if not difference:
        return Verdict(check, len(cases), answers)
    for case in cases:
        alone, _ = against_golden(case, rtl)
        if alone:
            return Verdict(check, len(cases), answers, alone, case)
    return Verdict(check, len(cases), answers, difference, whole)
