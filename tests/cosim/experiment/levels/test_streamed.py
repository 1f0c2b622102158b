"""Streamed experiments end to end: the golden model in the RTL's place."""

import re

import numpy as np
import pytest

from cosim.experiment.levels.streamed.run import READ_BACK
from cosim.experiment.levels.subject import Subject
from cosim.mapping.choose import choose_mapping
from cosim.mapping.streamed import Schedule
from cosim.mapping.usage import chip_record
from cosim.program.program import Program
from cosim.record.record import RunRecord
from cosim.report.ci.summary import summary
from cosim.report.figures import mismatches
from cosim.report.page import render
from cosim.report.verdict import verdict
from hw.spec import FLIT, Region
from sw.integer import inference
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import (
    SHAPE,
    FakeRtl,
    Responses,
    make_data,
    make_run_of,
    make_shards,
    make_subject,
)


def run_with(rtl: FakeRtl, images: int = 5) -> tuple[Subject, RunRecord]:
    """The small subject on a chip that cannot hold its network."""
    subject = make_subject(TINY_CHIP)
    return subject, make_run_of(subject, rtl, make_shards(images))


def test_the_mapping_follows_the_size_of_the_chip() -> None:
    network = make_subject().network
    assert isinstance(choose_mapping(network, SHAPE), Program)
    assert isinstance(choose_mapping(network, TINY_CHIP), Schedule)
    assert chip_record(choose_mapping(network, SHAPE)).mapping == "resident"


def test_equal_chips_and_the_network_agree() -> None:
    subject, run = run_with(FakeRtl())
    assert mismatches(run) == 0
    assert verdict(run).equal
    assert "Membranes were read after 10 % of the passes" in verdict(run).detail
    trace = inference.run(subject.network, make_data(5).images)
    clean = run.sets["clean"]
    assert clean.predictions["rtl"] == clean.predictions["golden"]
    assert clean.predictions["rtl"] == trace.predictions.tolist()
    for layer, spikes in list(trace.spikes.items())[1:]:
        assert clean.spikes[layer]["rtl"] == clean.spikes[layer]["golden"] == spikes.sum()
    found = summary(run)
    assert found["chip"]["mapping"] == "streamed"
    assert found["chip"]["cores_used"] == 4
    assert found["rtl"]["read_back"] == READ_BACK


@pytest.mark.slow
def test_every_layer_and_pass_is_run_and_counted() -> None:
    rtl = FakeRtl()
    subject, run = run_with(rtl, images=107)  # batches of 100 and 7, in each of two sets
    assert isinstance(subject.mapping, Schedule)
    passes = sum(
        part.passes(part.seats(np.arange(images)))
        for images in (100, 7)
        for layer in subject.mapping.layers
        for part in layer.rounds
    )
    assert len(rtl.seen) == 2 * passes
    assert run.rtl.ticks == 2 * passes * 4
    assert mismatches(run) == 0
    assert len(run.labels) == 107


def drop_a_spike(responses: Responses) -> None:
    """Once: in the first pass that has one."""
    for steps in responses:
        for number, flits in enumerate(steps):
            if len(flits) and FLIT.get(flits[0], "region") == Region.SPIKE:
                steps[number] = flits[1:]
                return


def test_a_lost_spike_is_found_with_its_layer_and_tile() -> None:
    class Once:
        done = False

        def __call__(self, responses: Responses) -> None:
            if not self.done:
                drop_a_spike(responses)
            self.done = True

    _, run = run_with(FakeRtl(Once()))
    clean, attacked = run.sets["clean"], run.sets["fgsm_8"]
    assert clean.mismatched_spikes >= 1  # it may lead to others, in the layers behind
    assert attacked.mismatched_spikes + clean.mapping_mismatches == 0
    assert re.match(
        r"layer conv2, tile \(\d, \d\), image \d, tick \d, core \(\d, \d\), neuron \d+: spike, "
        r"expected 1, got none",
        str(clean.first_mismatch),
    )
    assert not verdict(run).equal


def lose_all_membranes(responses: Responses) -> None:
    for steps in responses:
        steps[-1] = steps[-1][FLIT.get(steps[-1], "region") != Region.MEMBRANE]


def test_a_chip_without_answers_gets_none_right() -> None:
    _, run = run_with(FakeRtl(lose_all_membranes))
    assert set(run.sets["clean"].predictions["rtl"]) == {-1}
    assert run.sets["clean"].mismatched_membranes > 0
    assert run.sets["clean"].mismatched_spikes == 0


def test_the_report_shows_the_schedule() -> None:
    subject, run = run_with(FakeRtl(), images=2)
    page = render(run)
    assert "Schedule, per image" in page
    assert isinstance(subject.mapping, Schedule)
    for layer in subject.mapping.layers:
        assert f"{layer.rows * 4:,}" in page, layer.layer.name
