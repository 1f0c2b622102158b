"""Campaigns and shrinking, with the golden model in the RTL's place, as it is or with a bug."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from cosim.program.runner import Runner
from cosim.program.stimulus import Step
from cosim.rtl.choice import Choice
from cosim.verify.case import case_file
from cosim.verify.case.case import Case, joined
from cosim.verify.fuzz import campaign
from cosim.verify.fuzz.campaign import BatchOrder, BatchResult, Campaign, Outcome, cases_of
from cosim.verify.fuzz.draw import TINY
from cosim.verify.fuzz.parts import PASSES
from cosim.verify.fuzz.shrink import Shrinker
from cosim.verify.fuzz.trial import Trial, valid
from hw.spec import FLIT, ChipShape, Kind
from sw.common.progress import Progress
from tests.support.as_rtl import Hanging, Right, Wrong

SHAPE = ChipShape(2, 1, 64, 16)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden model in the RTL's place needs no process, so that small batches cost no more."""
    monkeypatch.setattr(campaign, "BATCH_CASES", 6)


def run_with(chip: Runner, given: Campaign, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setattr(campaign, "chip", lambda choice, shape: chip)
    with Progress(Console(), shown=False) as progress:
        return campaign.run(given, progress)


def test_nothing_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_with(Right(), Campaign(1, count=13, shapes=(SHAPE, TINY)), monkeypatch)
    assert found.case is None
    assert found.cases >= 13
    assert found.shapes == {SHAPE, TINY}


@pytest.mark.slow
@pytest.mark.parametrize(("chip", "seed"), [(Wrong(), 1), (Wrong(), 2), (Hanging(), 1)])
def test_what_differs_is_made_small(
    chip: Runner, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_with(chip, Campaign(seed, count=100, shapes=(TINY,)), monkeypatch)
    assert found.case is not None
    text = case_file.dumps(found.case)
    assert len(found.case.program.cores) <= 1, text
    assert len(found.case.steps) <= 3, text
    assert len(text.splitlines()) <= 16, text
    assert f"--seed {seed}" in found.case.comment
    assert found.difference in found.case.comment
    again = case_file.loads(text, "text")
    assert Trial(chip).difference(again) == found.difference
    assert Trial(Right()).difference(again) == ""


def test_the_first_batch_that_fails_counts_and_not_the_first_to_be_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with several processes, of which one is slow."""

    class Shuffled:
        def __init__(self, jobs: int, work: object) -> None:
            pass

        def run(self, orders: Sequence[object]) -> Iterator[tuple[int, BatchResult]]:
            for number in (3, 1, 2, 0, 4):
                yield number, BatchResult(6, failed=number if number in (2, 3) else None)

    monkeypatch.setattr(campaign, "Local", Shuffled)
    outcome = Outcome()
    with Progress(Console(), shown=False) as progress:
        given = Campaign(1, count=6, shapes=(TINY,))
        found = campaign._first_failure(given, outcome, progress)
    assert found is not None
    assert (found[0].number, found[1], outcome.cases) == (2, 2, 24)


def test_a_batch_is_the_same_everywhere() -> None:
    order = BatchOrder(3, 5, SHAPE, Choice())
    texts = [[case_file.dumps(case) for case in cases_of(order)] for _ in range(2)]
    assert texts[0] == texts[1]
    other = cases_of(replace(order, number=6))
    assert case_file.dumps(other[0]) != texts[0][0]


def test_time_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_with(Right(), Campaign(1, minutes=0.0, shapes=(TINY,)), monkeypatch)
    assert found.case is None
    assert found.cases > 0  # a batch is played to its end


def test_a_case_that_needs_those_before_it() -> None:
    """Memories keep what earlier cases wrote: what differs by that is kept with them."""

    class Judge:
        def difference(self, case: Case) -> str:
            return "differs" if len(case.steps) > 40 else ""

    batch = cases_of(BatchOrder(1, 0, SHAPE, Choice()))
    found = campaign._alone(Judge(), batch)  # type: ignore[arg-type]
    assert len(batch[-1].steps) <= 40 < len(found.steps)


def test_joined_cases_keep_their_places() -> None:
    batch = cases_of(BatchOrder(2, 0, SHAPE, Choice()))[:5]
    case, places = joined(batch)
    for place, each in zip(places, batch, strict=True):
        assert list(case.steps[place.start : place.stop]) == list(each.steps)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(PASSES)))
def test_leaving_out_all_or_nothing_gives_a_case(number: int) -> None:
    """Each pass gives the case itself where it keeps everything, and a smaller one otherwise."""
    for case in cases_of(BatchOrder(4, 0, SHAPE, Choice()))[:5]:
        parts = PASSES[number](case)
        whole = parts.make(range(parts.count))
        assert whole is not None
        assert case_file.dumps(whole) == case_file.dumps(case)
        if parts.count:
            least = parts.make([])
            assert least is not None
            assert PASSES[number](least).count == 0


def test_a_shrinker_stops_in_time() -> None:
    class Judge:
        def failing(self, cases: Sequence[Case]) -> list[int]:
            raise AssertionError("no time is left")

    [case, *_] = cases_of(BatchOrder(5, 0, SHAPE, Choice()))
    assert Shrinker(Judge(), seconds=0.0).shrink(case) is case


def test_a_case_that_no_chip_can_take() -> None:
    [case, *_] = cases_of(BatchOrder(5, 0, SHAPE, Choice()))
    assert valid(case)
    host = np.array([FLIT.pack(kind=int(Kind.HOST))], np.uint64)
    assert not valid(replace(case, steps=(Step(host, go=False),)))
