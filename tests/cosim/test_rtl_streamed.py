"""Streamed networks on the real RTL of a small chip, against the golden model."""

from collections.abc import Sequence

import pytest

from cosim import record, tasks
from cosim.compare import Comparison, compare_images
from cosim.experiment import examine
from cosim.gather import gather
from cosim.golden_runs import GoldenRuns
from cosim.program import Program
from cosim.schedule import schedule_network
from cosim.stimulus import Phase
from cosim.streamed import ReadBack, Responses, run_network
from sw.layers import Encoding
from tests.cosim.test_experiment import FACTS, silent
from tests.cosim.test_schedule import TINY_CHIP
from tests.cosim.test_streamed import SEVERAL_ROUNDS, streamed_in
from tests.cosim.test_streamed_runs import streamed_subject
from tests.helpers.networks import SMALL, Sketch, random_network
from tests.helpers.subjects import FakeRtl


@pytest.mark.parametrize(
    ("sketches", "encoding"),
    [(SMALL, "direct"), (SEVERAL_ROUNDS, "direct"), (SMALL, "phase")],
    ids=["small", "several rounds", "phase"],
)
def test_every_spike_and_membrane(sketches: tuple[Sketch, ...], encoding: Encoding) -> None:
    network = random_network(6, sketches, encoding=encoding)
    schedule = schedule_network(network, TINY_CHIP)
    run_rtl, _ = tasks.verilated(TINY_CHIP, 2, False, silent())

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
    run_rtl, _ = tasks.verilated(TINY_CHIP, processes, False, silent())
    subject = streamed_subject(3)
    run = gather(subject, examine(subject, run_rtl, silent()), build_s=0.0, facts=FACTS)
    golden = gather(subject, examine(subject, FakeRtl(), silent()), build_s=0.0, facts=FACTS)
    assert record.mismatches(run) == 0
    assert run["sets"] == golden["sets"]
    assert sum(map(sum, run["rtl"]["counters"]["spikes_out"])) > 200
