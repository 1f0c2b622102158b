"""Streamed networks on the real RTL of a small chip, against the golden model."""

from collections.abc import Sequence

import pytest

from cosim.compare.chips import Comparison, compare_images
from cosim.experiment.levels.passes import ReadBack, Responses, run_network
from cosim.golden.runner import GoldenRuns
from cosim.mapping.streamed import schedule_network
from cosim.program.program import Program
from cosim.program.stimulus import Phase
from cosim.report.figures import mismatches
from cosim.rtl.runner import verilated
from sw.model.config import Encoding
from tests.cosim.experiment.levels.test_passes import SEVERAL_ROUNDS, streamed_in
from tests.cosim.mapping.test_streamed import TINY_CHIP
from tests.support.networks import SMALL, Sketch, random_network
from tests.support.subjects import FakeRtl, make_run_of, make_shards, make_subject


@pytest.mark.parametrize(
    ("sketches", "encoding"),
    [(SMALL, "direct"), (SEVERAL_ROUNDS, "direct"), (SMALL, "phase")],
    ids=["small", "several rounds", "phase"],
)
def test_every_spike_and_membrane(sketches: tuple[Sketch, ...], encoding: Encoding) -> None:
    network = random_network(6, sketches, encoding=encoding)
    schedule = schedule_network(network, TINY_CHIP)
    run_rtl = verilated(TINY_CHIP, 2)

    def rtl(program: Program, jobs: Sequence[Sequence[Phase]]) -> Responses:
        return run_rtl(program, jobs, lambda _: None).responses

    inputs, everything = streamed_in(network, 2), ReadBack(share=1.0, seed=0)
    total = Comparison()
    for golden, real in zip(
        run_network(schedule, inputs, GoldenRuns(), everything),
        run_network(schedule, inputs, rtl, everything),
        strict=True,
    ):
        for one, other in zip(golden.rounds, real.rounds, strict=True):
            found = compare_images(one.jobs, one.responses, other.responses)
            assert found.equal, f"{golden.schedule.layer.name}: {found.first}"
            total.add(found)
    assert total.spikes > 500


@pytest.mark.parametrize("processes", [1, 2])
def test_who_runs_it_changes_nothing(processes: int) -> None:
    subject, shards = make_subject(TINY_CHIP), make_shards(3)
    run = make_run_of(subject, verilated(TINY_CHIP, processes), shards)
    golden = make_run_of(subject, FakeRtl(), shards)
    assert mismatches(run) == 0
    assert run["sets"] == golden["sets"]
    assert sum(map(sum, run["rtl"]["counters"]["spikes_out"])) > 200
