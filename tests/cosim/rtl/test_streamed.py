"""Streamed networks on the real RTL of a small chip, against the golden model."""

import pytest

from cosim.compare.chips import Comparison, compare_images
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.golden.runner import GoldenRunner
from cosim.mapping.streamed import schedule_network
from cosim.report.figures import mismatches
from cosim.rtl.runner import verilated
from sw.model.config.inputs import Encoding
from tests.support.mapping.on_golden import SEVERAL_ROUNDS, TINY_CHIP, streamed_in
from tests.support.networks import SMALL, Sketch, random_network
from tests.support.subjects import FakeRtl, make_run_of, make_shards, make_subject

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize(
    ("sketches", "encoding"),
    [(SMALL, "direct"), (SEVERAL_ROUNDS, "direct"), (SMALL, "phase")],
    ids=["small", "several rounds", "phase"],
)
def test_every_spike_and_membrane(sketches: tuple[Sketch, ...], encoding: Encoding) -> None:
    network = random_network(6, sketches, encoding=encoding)
    schedule = schedule_network(network, TINY_CHIP)
    inputs, everything = streamed_in(network, 2), ReadBack(share=1.0, seed=0)
    total = Comparison()
    for golden, real in zip(
        run_network(schedule, inputs, GoldenRunner(), everything),
        run_network(schedule, inputs, verilated(TINY_CHIP), everything),
        strict=True,
    ):
        for one, other in zip(golden.rounds, real.rounds, strict=True):
            found = compare_images(one.stimuli, one.responses, other.responses)
            assert found.equal, f"{golden.schedule.layer.name}: {found.first}"
            total.add(found)
    assert total.spikes > 500


def test_an_experiment_in_rtl_is_that_of_the_golden_model() -> None:
    subject, shards = make_subject(TINY_CHIP), make_shards(3)
    run = make_run_of(subject, verilated(TINY_CHIP), shards)
    golden = make_run_of(subject, FakeRtl(), shards)
    assert mismatches(run) == 0
    assert run.sets == golden.sets
    assert sum(map(sum, run.rtl.counters["spikes_out"])) > 200
