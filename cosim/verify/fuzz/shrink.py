"""Makes a failing case small: whatever can go while it still fails goes.

A pass names parts of a case that can be left out; parts are left out by halves, quarters and so on
down to single ones. Candidates are tried together, for a process costs more than a small case: that
is why this is no general shrinker, which tries one at a time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cosim.verify.case.case import Case
from cosim.verify.fuzz.parts import PASSES, Parts
from cosim.verify.fuzz.trial import size, valid

MOST_FLITS = 60_000  # of the candidates that are tried together
MOST_TOGETHER = 48
MOST_CANDIDATES = 400  # of one size of parts: what is needed to fail is not that much
MOST_SECONDS = 240.0
Say = Callable[[int], None]  # is told how many candidates more were tried


class Judge(Protocol):
    """Says which of some cases fail; the first one's verdict is that of it alone."""

    def failing(self, cases: Sequence[Case]) -> list[int]: ...


@dataclass
class Shrinker:
    """Shrinks a case that fails, as long as it may take."""

    judge: Judge
    say: Say = lambda tried: None
    seconds: float = MOST_SECONDS

    def shrink(self, case: Case) -> Case:
        """The smallest case found that fails as well. `case` must fail alone."""
        self._end = time.monotonic() + self.seconds
        smaller = True
        while smaller and time.monotonic() < self._end:
            before = case
            for parts_of in PASSES:
                case = self._reduce(case, parts_of)
            smaller = case is not before
        return case

    def _reduce(self, case: Case, parts_of: Callable[[Case], Parts]) -> Case:
        """Leaves out what one pass can."""
        parts = parts_of(case)
        kept = list(range(parts.count))
        chunk = len(kept)
        while chunk and kept and time.monotonic() < self._end:
            starts = range(0, len(kept), chunk)
            if len(starts) > MOST_CANDIDATES:
                break
            without = [kept[:a] + kept[a + chunk :] for a in starts]
            gone = self._failing([parts.make(each) for each in without])
            found = self._together(parts, kept, chunk, gone)
            smaller = None if found is None else parts.make(found)
            if found is None or smaller is None:
                chunk //= 2
                continue
            kept, case = found, smaller
            chunk = min(chunk, len(kept))
        return case

    def _together(
        self, parts: Parts, kept: list[int], chunk: int, gone: list[int]
    ) -> list[int] | None:
        """What is left without as many of the chunks as can go together; None: none can."""
        while gone:
            left_out = {n for number in gone for n in kept[number * chunk : (number + 1) * chunk]}
            left = [n for n in kept if n not in left_out]
            if 0 in self._failing([parts.make(left)]):
                return left
            gone = gone[: len(gone) // 2]
        return None

    def _failing(self, cases: list[Case | None]) -> list[int]:
        """The numbers of those that are cases at all, and fail."""
        failing = []
        for numbers in _batches(cases):
            batch = [case for case in (cases[number] for number in numbers) if case is not None]
            failing += [numbers[n] for n in self.judge.failing(batch)]
            self.say(len(batch))
        return failing


def _batches(cases: list[Case | None]) -> Iterator[list[int]]:
    """Numbers of the cases that a chip can take, as many together as is good."""
    batch: list[int] = []
    flits = 0
    for number, case in enumerate(cases):
        if case is None or not valid(case):
            continue
        if batch and (flits + size(case) > MOST_FLITS or len(batch) == MOST_TOGETHER):
            yield batch
            batch, flits = [], 0
        batch.append(number)
        flits += size(case)
    if batch:
        yield batch


def commented(case: Case, *lines: str) -> Case:
    """The same case with this comment."""
    return replace(case, comment="\n".join(lines))
