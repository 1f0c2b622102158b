"""The experiment end to end on a small chip, the golden model in the RTL's place."""

from collections.abc import Callable

import numpy as np
import pytest

from cosim.experiment.shard import examine
from cosim.record.record import Level, RunRecord, Spikes
from cosim.report.ci.summary import summary
from cosim.report.figures import accuracy, mismatches
from cosim.report.verdict import verdict
from hw.spec import FLIT, Region
from sw.integer import inference
from tests.support.subjects import (
    FakeRtl,
    Responses,
    chips_with,
    make_data,
    make_run_of,
    make_shards,
    make_subject,
)


def run_with(rtl: FakeRtl, images: int = 7) -> RunRecord:
    return make_run_of(make_subject(), rtl, make_shards(images))


def test_equal_chips_are_equal_at_every_level_they_share() -> None:
    run = run_with(FakeRtl())
    assert mismatches(run) == 0
    assert verdict(run).equal
    for chosen in run.sets.values():
        assert chosen.compared_spikes > 100
        assert chosen.compared_membranes == 7 * sum(map(sum, run.chip.neurons))
        assert chosen.predictions["golden"] == chosen.predictions["rtl"]


def test_levels_agree_with_the_integer_network() -> None:
    subject = make_subject()
    for shard in make_shards(7):
        result = examine(subject, shard, chips_with(FakeRtl()))
        trace = inference.run(subject.network, shard.images)
        assert result.predictions["rtl"] == trace.predictions.tolist(), shard.set
        for layer, spikes in list(trace.spikes.items())[1:]:
            assert result.spikes[layer]["rtl"] == spikes.sum(), layer


def test_sets_are_the_clean_images_and_those_within_eps() -> None:
    shards = make_shards(7, sets=("fgsm_8", "pgd_4", "clean"))
    assert [shard.set for shard in shards] == ["fgsm_8", "pgd_4", "clean"]
    images = {shard.set: shard.images.astype(int) for shard in shards}
    assert np.array_equal(images["clean"], make_data(7).images)
    assert np.abs(images["fgsm_8"] - images["clean"]).max() == 8
    assert np.abs(images["pgd_4"] - images["clean"]).max() == 4


@pytest.mark.slow
def test_more_images_than_one_batch_come_out_in_order() -> None:
    """Three sets of 107 images are two shards each; the golden model does 50 images at once."""
    rtl = FakeRtl()
    run = run_with(rtl, images=107)
    assert len(rtl.seen) == 214
    assert mismatches(run) == 0
    trace = inference.run(make_subject().network, make_data(107).images)
    assert run.sets["clean"].predictions["rtl"] == trace.predictions.tolist()


@pytest.mark.slow
def test_a_sample_goes_through_the_rtl() -> None:
    """The spikes and what was compared are the sample's, golden's answers are of all images."""
    whole, rtl = run_with(FakeRtl(), images=130), FakeRtl()
    run = make_run_of(make_subject(), rtl, make_shards(130, rtl_images=20))
    assert len(rtl.seen) == 2 * 20
    for name, chosen in run.sets.items():
        everything = whole.sets[name].predictions
        assert chosen.predictions["golden"] == everything["golden"]
        assert chosen.predictions["rtl"] == everything["golden"][:20]
        assert chosen.compared_membranes == 20 * sum(map(sum, run.chip.neurons))
        assert chosen.spikes["fc1"]["golden"] == chosen.spikes["fc1"]["rtl"]
    assert all(example.index < 20 for example in run.examples)
    found = summary(run)
    assert found["images"] == 20
    assert found["level_images"] == {"float": 130, "quantised": 130, "golden": 130, "rtl": 20}
    clean = found["sets"]["clean"]
    assert clean["sample_accuracy"]["golden"] == clean["accuracy"]["rtl"]


class InSecondShard:
    """A fault of the second shard only."""

    def __init__(self, fault: Callable[[Responses], None]) -> None:
        self.fault, self.shards = fault, 0

    def __call__(self, responses: Responses) -> None:
        self.shards += 1
        if self.shards == 2:
            self.fault(responses)


def drop_first_spike_of_image_2(responses: Responses) -> None:
    step = next(n for n, flits in enumerate(responses[2]) if len(flits))
    responses[2][step] = np.sort(responses[2][step])[1:]


def test_a_lost_spike_is_found_in_its_set() -> None:
    run = run_with(FakeRtl(InSecondShard(drop_first_spike_of_image_2)))
    clean, attacked = run.sets["clean"], run.sets["fgsm_8"]
    assert clean.mismatched_spikes == 0
    assert clean.first_mismatch is None
    assert attacked.mismatched_spikes == 1
    assert attacked.mismatched_membranes == 0
    assert str(attacked.first_mismatch).startswith("image 2, tick ")
    assert not verdict(run).equal
    assert "1 spikes and 0 membranes mismatched" in verdict(run).headline
    lost = sum(counts["golden"] - counts["rtl"] for counts in chip_counts(attacked.spikes))
    assert lost == 1


def test_a_mismatch_has_its_images_number_in_the_set() -> None:
    rtl = FakeRtl(InSecondShard(drop_first_spike_of_image_2))
    run = make_run_of(make_subject(), rtl, make_shards(103, sets=("clean",)))
    assert str(run.sets["clean"].first_mismatch).startswith("image 102, tick ")


def chip_counts(spikes: Spikes) -> list[dict[Level, int]]:
    return [counts for counts in spikes.values() if "rtl" in counts]


def lose_all_membranes(responses: Responses) -> None:
    for steps in responses:
        steps[-1] = steps[-1][:0]


def test_a_chip_without_answers_gets_none_right() -> None:
    run = run_with(FakeRtl(lose_all_membranes))
    assert accuracy(run, "clean", "rtl").value == 0
    membranes = sum(map(sum, run.chip.neurons)) * 7
    assert run.sets["clean"].mismatched_membranes == membranes
    assert set(run.sets["clean"].predictions["rtl"]) == {-1}


def spike_from_nowhere(responses: Responses) -> None:
    flit = np.uint64(FLIT.pack(kind=3, region=int(Region.SPIKE), x0=2, y0=1, offset=255, data=0))
    responses[0][1] = np.append(responses[0][1], flit)


def test_a_spike_of_no_neuron_is_a_mismatch() -> None:
    run = run_with(FakeRtl(spike_from_nowhere))
    assert run.sets["clean"].mismatched_spikes == 1
    assert "core (2, 1), neuron 255" in str(run.sets["clean"].first_mismatch)


def test_record_has_the_runs_numbers() -> None:
    run = run_with(FakeRtl())
    found = summary(run)
    assert found["images"] == 7
    assert found["chip"]["mesh"] == "3x2"
    assert found["rtl"]["ticks"] == 14 * 6  # T = 4, and two more chip layers behind the first
    assert found["rtl"]["process_s"] == 2 * 2.5
    assert found["rtl"]["images_per_s"] == round(14 / 5, 3)
    assert set(found["sets"]["clean"]["spikes"]) == {"conv2", "fc1"}
    assert set(run.sets["clean"].spikes["conv1"]) == {"float", "quantised"}
    layers = found["hardware"]["layers"]
    assert set(layers) == {"conv2", "fc1", "fc2"}
    assert all(layer["cycles"] is None for layer in layers.values())
