"""A campaign: batches of random cases until one differs, or enough were tried.

Batch n of a seed is the same on every machine and with any number of processes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cosim.rtl.choice import OURS, Choice
from cosim.verify.case.case import Case, joined
from cosim.verify.fuzz.draw import SHAPES, random_case
from cosim.verify.fuzz.shrink import Shrinker, commented
from cosim.verify.fuzz.trial import Trial, chip, size
from hw.spec import ChipShape
from sw.common.progress import Progress
from sw.jobs.engine import Local

BATCH_FLITS = 120_000  # that go into one process; a process costs about a second
BATCH_CASES = 64
MOST_BATCHES = 1_000_000


@dataclass(frozen=True)
class Campaign:
    """What is tried: `count` cases at least (None: no limit), for `minutes` (None: no limit).

    `shapes` are the chips, batch by batch in turns; `choice` is the RTL; `jobs` processes work.
    """

    seed: int
    count: int | None = None
    minutes: float | None = None
    shapes: tuple[ChipShape, ...] = SHAPES
    choice: Choice = OURS
    jobs: int = 1


@dataclass(frozen=True)
class BatchOrder:
    """One batch: its number in the campaign, and all else that decides what is in it."""

    seed: int
    number: int
    shape: ChipShape
    choice: Choice


class Orders(Sequence[Callable[[], BatchOrder]]):
    """What makes each batch of a campaign, more of them than it needs."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign

    def __len__(self) -> int:
        return min(self._campaign.count or MOST_BATCHES, MOST_BATCHES)  # each has a case at least

    def __getitem__(self, number: Any) -> Any:
        """The maker of one batch."""
        shape = self._campaign.shapes[number % len(self._campaign.shapes)]
        order = BatchOrder(self._campaign.seed, number, shape, self._campaign.choice)
        return lambda: order


@dataclass(frozen=True)
class BatchResult:
    """How many cases a batch had, and the number of the first that failed."""

    cases: int
    failed: int | None = None


@dataclass
class Outcome:
    """What came of a campaign; `case` is the first that failed, as small as it could be made."""

    cases: int = 0
    seconds: float = 0.0
    difference: str = ""
    case: Case | None = None
    shapes: set[ChipShape] = field(default_factory=set)


def cases_of(order: BatchOrder) -> list[Case]:
    """The cases of a batch."""
    rng = np.random.default_rng([order.seed, order.number])
    return list(_until_full(random_case(rng, order.shape) for _ in range(BATCH_CASES)))


def _until_full(cases: Iterator[Case]) -> Iterator[Case]:
    flits = 0
    for case in cases:
        yield case
        flits += size(case)
        if flits > BATCH_FLITS:
            return


def play_batch(order: BatchOrder) -> BatchResult:
    """Plays a batch; a process's work."""
    cases = cases_of(order)
    failed = Trial(chip(order.choice, order.shape)).failing(cases)
    return BatchResult(len(cases), failed[0] if failed else None)


def run(campaign: Campaign, progress: Progress) -> Outcome:
    """Runs a campaign, and shrinks the first case that differs.

    Raises what a simulator's build or run raises.
    """
    outcome = Outcome()
    start = time.monotonic()
    order = _first_failure(campaign, outcome, progress)
    outcome.seconds = time.monotonic() - start
    if order is not None:
        with progress.stage("shrinking", unit="candidates") as advance:
            trial = Trial(chip(campaign.choice, order[0].shape))
            case = _alone(trial, cases_of(order[0])[: order[1] + 1])
            case = Shrinker(trial, advance).shrink(case)
            outcome.difference = trial.difference(case)
        outcome.case = commented(
            case,
            f"nc64c fuzz --seed {campaign.seed}: batch {order[0].number}, case {order[1]}",
            outcome.difference,
        )
    return outcome


def _first_failure(
    campaign: Campaign, outcome: Outcome, progress: Progress
) -> tuple[BatchOrder, int] | None:
    """The first batch that has a failure, and the case's number in it.

    First by number, not in time: batches before it that are still played are waited for, so that a
    seed gives the same case with any number of processes.
    """
    minutes = float("inf") if campaign.minutes is None else campaign.minutes
    end = time.monotonic() + 60 * minutes
    orders = Orders(campaign)
    answers = Local(campaign.jobs, play_batch).run(orders)
    played: set[int] = set()
    failed: dict[int, int] = {}  # the first case that failed, by batch
    with progress.stage("fuzzing", campaign.count, unit="cases") as advance:
        for number, result in answers:
            outcome.cases += result.cases
            outcome.shapes.add(orders[number]().shape)
            advance(result.cases)
            played.add(number)
            if result.failed is not None:
                failed[number] = result.failed
            if failed and played.issuperset(range(min(failed))):
                break
            over = time.monotonic() > end or outcome.cases >= (campaign.count or float("inf"))
            if over and not failed:
                return None
    first = min(failed, default=None)
    return None if first is None else (orders[first](), failed[first])


def _alone(trial: Trial, cases: Sequence[Case]) -> Case:
    """The last of these cases, if it fails alone; else with as many before it as it takes."""
    together = 1
    while together < len(cases):
        case = joined(cases[-together:])[0]
        if trial.difference(case):
            return case
        together *= 4
    return joined(cases)[0]
