"""Triage without a simulator: ticks worked out again, smaller failures, what is written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cosim.golden.runner import GoldenRunner
from cosim.program.errors import Mismatch
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Runner, Stimulus, unheard
from cosim.rtl.played import Trace
from cosim.verify.case import case_file
from cosim.verify.triage import reduce
from cosim.verify.triage.folder import triage
from cosim.verify.triage.moments import Moments
from cosim.verify.triage.probe import Difference, golden_run, probe
from cosim.verify.triage.rules import Rule, outcome, variations
from cosim.verify.triage.terms import terms
from hw.spec import Region
from sw.common.errors import InputError
from sw.files.sources import ROOT
from tests.support.bug_list import BUGS, LOADED_ROUTER_BUGS
from tests.support.bugs import TICKS, Bug, busy_failure

SEEDS = range(3)


class OtherThreshold:
    """The golden model, with one neuron's threshold one too high."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        first, *others = program.cores
        threshold = first.threshold.copy()
        threshold[2] += 1
        cores = (replace(first, threshold=threshold), *others)
        return GoldenRunner().run(replace(program, cores=cores), stimuli, advance)


def no_waves(trace: Trace | None) -> Runner:
    if trace is not None:
        raise InputError("there is nothing that records waves")
    return OtherThreshold()


class HangsIfAlone(OtherThreshold):
    """The same in a chip that does not come to rest where a part of its cores is not there."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        if len(program.cores) < len(busy_failure().program.cores):
            raise Mismatch("the chip has not come to rest")
        return super().run(program, stimuli, advance)


def hangs_if_alone(trace: Trace | None) -> Runner:
    no_waves(trace)
    return HangsIfAlone()


def test_a_smaller_failure_that_hangs_is_not_what_was_found(tmp_path: Path) -> None:
    found = triage(busy_failure(), hangs_if_alone, tmp_path)
    assert found is not None
    assert found.rule is Rule.WRITES
    case = case_file.load(tmp_path / "mismatch" / "replay.txt")
    assert len(case.program.cores) == len(busy_failure().program.cores)


@pytest.mark.parametrize("bug", [*BUGS, *LOADED_ROUTER_BUGS], ids=lambda bug: bug.name)
def test_each_bug_of_the_list_has_its_place_in_the_rtl(bug: Bug) -> None:
    """`make bugs` takes half an hour; this says at once that what one of them changes is gone."""
    assert (ROOT / "hw" / bug.file).read_text().count(bug.old) == 1


def test_two_equal_chips_have_no_difference() -> None:
    assert not probe(busy_failure(), GoldenRunner()).differences


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tick_worked_out_again_is_the_golden_models(seed: int) -> None:
    failure = busy_failure(seed)
    found = probe(failure, GoldenRunner())
    for core in failure.program.cores:
        after = found.words(found.golden, core.x, core.y, Region.MEMBRANE)
        for tick in range(TICKS):
            watcher = Moments((core.x, core.y), tick)
            golden_run(failure.program, failure.steps, watcher)
            assert watcher.moment is not None
            made = outcome(watcher.moment)
            expected = [after[tick][neuron] for neuron in range(core.neurons)]
            assert made.membrane.tolist() == expected, (seed, core.x, core.y, tick)
            fired = watcher.fired[core.x, core.y][tick]
            assert np.flatnonzero(made.fired).tolist() == fired.tolist(), (seed, tick)


def test_every_rule_done_wrong_shows_somewhere() -> None:
    """A variation that changes nothing on any of these ticks would be no hypothesis."""
    left: set[str] = set()
    shown: set[str] = set()
    for seed in SEEDS:
        failure = busy_failure(seed)
        for core in failure.program.cores:
            for tick in range(TICKS):
                watcher = Moments((core.x, core.y), tick)
                golden_run(failure.program, failure.steps, watcher)
                assert watcher.moment is not None
                right = outcome(watcher.moment)
                for variation in variations(watcher.moment):
                    made = outcome(watcher.moment, variation.by)
                    same = np.array_equal(made.membrane, right.membrane)
                    same &= np.array_equal(made.fired, right.fired)
                    (left if same else shown).add(variation.how)
    assert {each.split()[0] for each in left - shown} <= {"an", "a", "no"}, left - shown
    assert len(shown) > 20


@pytest.mark.slow
@pytest.mark.parametrize("tick", [0, 2, 4])
def test_a_core_alone_does_what_it_did_among_others(tick: int) -> None:
    failure = busy_failure()
    for core in failure.program.cores:
        at = Difference(tick, core.x, core.y, Region.MEMBRANE, 0, 0, 1)
        whole = probe(failure, GoldenRunner())
        wanted = whole.words(whole.golden, core.x, core.y, Region.MEMBRANE)[tick]
        for less in list(reduce.smaller(failure, at))[:2]:
            assert len(less.program.cores) <= 2
            alone = probe(less, GoldenRunner())
            got = alone.words(alone.golden, core.x, core.y, Region.MEMBRANE)[tick]
            assert got == wanted, (core.x, core.y)


@pytest.mark.slow
def test_synapses_that_no_spike_reaches_may_go() -> None:
    failure = busy_failure()
    bare = reduce.without_silent_axons(failure)
    counts = [
        sum(int(core.synapses.sum()) for core in each.program.cores) for each in (failure, bare)
    ]
    assert 0 < counts[1] < counts[0]
    whole, less = (probe(each, GoldenRunner()) for each in (failure, bare))
    for one, other in zip(whole.golden, less.golden, strict=True):
        np.testing.assert_array_equal(np.sort(one), np.sort(other))


def test_the_rest_is_written_where_there_are_no_waves(tmp_path: Path) -> None:
    found = triage(busy_failure(), no_waves, tmp_path)
    assert found is not None
    assert found.rule is Rule.WRITES
    words = (tmp_path / "mismatch" / "explanation.txt").read_text()
    assert "rtl.fst could not be made: there is nothing that records waves" in words
    assert Rule.WRITES.value in words
    names = {path.name for path in (tmp_path / "mismatch").iterdir()}
    assert names == {"explanation.txt", "terms.txt", "replay.txt"}
    assert len(case_file.load(tmp_path / "mismatch" / "replay.txt").program.cores) == 1


def test_an_rtl_that_records_nothing_leaves_the_rest(tmp_path: Path) -> None:
    triage(busy_failure(), lambda _: OtherThreshold(), tmp_path)
    words = (tmp_path / "mismatch" / "explanation.txt").read_text()
    assert "golden.vcd could not be made: no waves were written: there is no rtl.fst" in words


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "mismatch").write_text("a file")
    with pytest.raises(InputError, match="mismatch"):
        triage(busy_failure(), no_waves, tmp_path)


def test_terms_add_up() -> None:
    watcher = Moments((0, 0), 1)
    failure = busy_failure()
    golden_run(failure.program, failure.steps, watcher)
    assert watcher.moment is not None
    for neuron in range(3):
        lines = terms(watcher.moment, neuron, None, None).splitlines()
        value = {line[:34].strip(): int(line[34:48]) for line in lines[2:] if line[34:48].strip()}
        synapses = sum(v for name, v in value.items() if name.startswith("page"))
        assert synapses == value["I"]
        assert value["v before"] + value["leak"] + value["I"] + value["bias"] == value["sum"]
