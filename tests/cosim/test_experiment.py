"""The experiment end to end on a small chip, the golden model in the RTL's place."""

import io

import numpy as np
from rich.console import Console

from cosim import record
from cosim.experiment import Results, examine
from cosim.gather import gather
from cosim.progress import Progress
from cosim.record import Facts, Run
from cosim.report import verdict
from hw.spec import FLIT, Region
from sw import integer
from tests.helpers.subjects import FakeRtl, Responses, make_subject

FACTS = Facts(
    command="nc64c cosim",
    checkpoint="a file",
    seed=0,
    jobs=1,
    started="now",
    wall_s=1.0,
    stages={},
    cpu="a processor",
    cores=1,
    versions={"nc64c": "0"},
)


def silent() -> Progress:
    return Progress(Console(file=io.StringIO()), shown=False)


def run_with(rtl: FakeRtl, images: int = 7) -> tuple[Results, Run]:
    subject = make_subject(images)
    results = examine(subject, rtl, silent())
    return results, gather(subject, results, build_s=0.0, facts=FACTS)


def test_equal_chips_are_equal_at_every_level_they_share() -> None:
    results, run = run_with(FakeRtl())
    assert record.mismatches(run) == 0
    assert verdict(run).equal
    for result in results.sets.values():
        assert result.comparison.spikes > 100
        assert result.comparison.membranes == 7 * sum(map(sum, run["chip"]["neurons"]))
        assert result.chip["golden"] == result.chip["rtl"]


def test_levels_agree_with_the_integer_network() -> None:
    subject = make_subject()
    results = examine(subject, FakeRtl(), silent())
    for name, result in results.sets.items():
        trace = integer.run(subject.network, result.images)
        answers = result.chip["rtl"]
        assert [answer.prediction for answer in answers] == trace.predictions.tolist(), name
        for layer, spikes in list(trace.spikes.items())[1:]:
            assert sum(answer.spikes[layer] for answer in answers) == spikes.sum(), layer


def test_sets_are_the_clean_images_and_those_within_eps() -> None:
    subject = make_subject(sets=("fgsm_8", "clean"))
    results = examine(subject, FakeRtl(), silent())
    assert list(results.sets) == ["fgsm_8", "clean"]
    clean, attacked = (results.sets[name].images.astype(int) for name in ("clean", "fgsm_8"))
    assert np.array_equal(clean, subject.data.images)
    assert np.abs(attacked - clean).max() == 8


def test_more_images_than_one_batch_come_out_in_order() -> None:
    rtl = FakeRtl()
    _, run = run_with(rtl, images=57)  # two sets: 114 images, batches of 50
    assert len(rtl.seen) == 114
    assert record.mismatches(run) == 0


def drop_first_spike_of_image_9(responses: Responses) -> None:
    phase = next(n for n, flits in enumerate(responses[9]) if len(flits))
    responses[9][phase] = np.sort(responses[9][phase])[1:]


def test_a_lost_spike_is_found_in_its_set() -> None:
    _, run = run_with(FakeRtl(drop_first_spike_of_image_9))
    clean, attacked = run["sets"]["clean"], run["sets"]["fgsm_8"]
    assert clean["mismatched_spikes"] == 0
    assert clean["first_mismatch"] is None
    assert attacked["mismatched_spikes"] == 1
    assert attacked["mismatched_membranes"] == 0
    assert str(attacked["first_mismatch"]).startswith("image 2, tick ")
    assert not verdict(run).equal
    assert "1 spikes and 0 membranes mismatched" in verdict(run).headline
    lost = sum(counts["golden"] - counts["rtl"] for counts in chip_counts(attacked["spikes"]))
    assert lost == 1


def chip_counts(spikes: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    return [counts for counts in spikes.values() if "rtl" in counts]


def lose_all_membranes(responses: Responses) -> None:
    for phases in responses:
        phases[-1] = phases[-1][:0]


def test_a_chip_without_answers_gets_none_right() -> None:
    _, run = run_with(FakeRtl(lose_all_membranes))
    assert record.accuracy(run, "clean", "rtl") == 0
    membranes = sum(map(sum, run["chip"]["neurons"])) * 7
    assert run["sets"]["clean"]["mismatched_membranes"] == membranes
    assert set(run["sets"]["clean"]["predictions"]["rtl"]) == {-1}


def spike_from_nowhere(responses: Responses) -> None:
    flit = np.uint64(FLIT.pack(kind=3, region=int(Region.SPIKE), x0=2, y0=1, offset=255, data=0))
    responses[0][1] = np.append(responses[0][1], flit)


def test_a_spike_of_no_neuron_is_a_mismatch() -> None:
    _, run = run_with(FakeRtl(spike_from_nowhere))
    assert run["sets"]["clean"]["mismatched_spikes"] == 1
    assert "core (2, 1), neuron 255" in str(run["sets"]["clean"]["first_mismatch"])


def test_record_has_the_runs_numbers() -> None:
    _, run = run_with(FakeRtl())
    summary = record.summary(run)
    assert summary["images"] == 7
    assert summary["chip"]["mesh"] == "3x2"
    assert summary["rtl"]["ticks"] == 14 * 6  # T = 4, and two more chip layers behind the first
    assert summary["rtl"]["images_per_s"] == round(14 / 2.5, 3)
    assert set(summary["sets"]["clean"]["spikes"]) == {"conv2", "fc1"}
    assert set(run["sets"]["clean"]["spikes"]["conv1"]) == {"float", "quantised"}
