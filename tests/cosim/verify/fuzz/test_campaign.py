"""Campaigns and shrinking, with the golden model in the RTL's place, as it is or with a bug."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from cosim.golden.runner import GoldenRunner
from cosim.program.errors import Mismatch
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Runner, Stimulus, unheard
from cosim.program.stimulus import Step
from cosim.rtl.choice import Choice
from cosim.verify.case import case_file
from cosim.verify.case.case import Case, joined
from cosim.verify.fuzz import campaign
from cosim.verify.fuzz.campaign import BatchOrder, Campaign, Outcome, cases_of
from cosim.verify.fuzz.draw import TINY
from cosim.verify.fuzz.parts import PASSES
from cosim.verify.fuzz.shrink import Shrinker
from cosim.verify.fuzz.trial import Trial, valid
from hw.spec import FLIT, ChipShape, Kind, Region, Register, ResetMode
from sw.common.progress import Progress
from tests.support.cli import nc64c

SHAPE = ChipShape(2, 1, 64, 16)


class Right:
    """The golden model, as if it were RTL."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        return GoldenRunner().run(program, stimuli, advance)


class Wrong(Right):
    """The same, whose neurons never reset by subtraction."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        cores = [
            replace(core, reset=ResetMode.ZERO if core.reset is ResetMode.SUBTRACT else core.reset)
            for core in program.cores
        ]
        steps = [[replace(step, flits=self.spoilt(step.flits)) for step in s] for s in stimuli]
        return super().run(replace(program, cores=tuple(cores)), steps, advance)

    @staticmethod
    def spoilt(flits: NDArray[np.uint64]) -> NDArray[np.uint64]:
        mode = (FLIT.get(flits, "kind") == Kind.WRITE) & (FLIT.get(flits, "data") == 1)
        mode &= FLIT.get(flits, "region") == Region.REGISTER
        mode &= FLIT.get(flits, "offset") == Register.RESET_MODE
        return np.where(mode, flits & ~np.uint64(1), flits)


class Hanging(Right):
    """The same, which hangs where a core is reset by subtraction."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        flits = np.concatenate([step.flits for s in stimuli for step in s] or [NOTHING])
        modes = {core.reset for core in program.cores}
        if ResetMode.SUBTRACT in modes or (Wrong.spoilt(flits) != flits).any():
            raise Mismatch("the RTL hangs: for a test")
        return super().run(program, stimuli, advance)


NOTHING = np.zeros(0, np.uint64)


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


# ---------------------------------------------------------------- commands
def test_fuzz_and_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ("--mesh", "1x1", "--axons", 64, "--dendrites", 16, "--jobs", 1)
    monkeypatch.setattr(campaign, "chip", lambda choice, shape: Right())
    result = nc64c("fuzz", *small, "--count", 6, "--out", tmp_path / "good")
    assert result.exit_code == 0, result.output
    assert "RTL equals the golden model" in result.stdout
    assert "configurations/s, on 1x1 64x16" in result.stdout
    assert not (tmp_path / "good").exists()

    monkeypatch.setattr(campaign, "chip", lambda choice, shape: Wrong())
    result = nc64c("fuzz", *small, "--seed", 9, "--out", tmp_path / "bad", "-q")
    assert result.exit_code == 1, result.output
    path = tmp_path / "bad" / "case-9.txt"
    assert "RTL and golden model differ" in result.stderr
    assert f"nc64c replay {path}" in result.stderr

    for chip, code in ((Wrong(), 1), (Right(), 0)):
        monkeypatch.setattr("cosim.rtl.choice.runner_of", lambda *_, _chip=chip, **__: _chip)
        result = nc64c("replay", path)
        assert result.exit_code == code, result.output
        verdict = "RTL and golden model differ" if code else "RTL equals the golden model: 1 cores"
        assert verdict in result.output


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "case.txt"
    for text, sentence in (
        ("nc64c case 7\n", "version '7', this nc64c reads version 1"),
        ("hello\n", "is no case file"),
        ("nc64c case 1\nchip 1x1 axons 64 dendrites 16\nsteps\nflit 0x1\n", "has no end"),
        ("nc64c case 1\nchip 1x1 axons 64 dendrites 16\nsteps\nspike axons 70 to 0,0\nwait\n",
         "no chip can take this case: a spike for axon 70 of 64"),
    ):  # fmt: skip
        path.write_text(text)
        result = nc64c("replay", path)
        assert result.exit_code == 2, result.output
        assert sentence in " ".join(result.stderr.split())
        assert len(result.stderr.splitlines()) == 1
    assert nc64c("replay", tmp_path / "none.txt").exit_code == 2
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert nc64c("fuzz", "--count", 1, "--out", blocked).exit_code == 2
