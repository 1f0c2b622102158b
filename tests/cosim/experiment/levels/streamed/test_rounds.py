"""Faults in any round of a streamed layer, and in any of its passes, are seen as in the first one.

50 neurons of a layer take two rounds of the tiny chip, hidden or output; a pass is one image.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.experiment.levels.answers import NO_ANSWER
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.experiment.levels.streamed.passes import LayerRun, ReadBack, run_network
from cosim.experiment.levels.streamed.run import run_streamed
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Stimulus, Totals, unheard
from hw.spec import Counter, Region
from sw.integer import inference
from tests.support.faults import (
    GOLDEN,
    Fault,
    Spoiled,
    change_membrane,
    host,
    lose_a_spike,
    lose_membrane,
    nothing,
    repeat_a_spike,
    send,
)
from tests.support.mapping.on_golden import TINY_CHIP, draw, streamed_in
from tests.support.networks import Sketch, random_network

IMAGES = 3
NETWORK = random_network(5, (Sketch("conv", 2), Sketch("fc", 50), Sketch("fc", 50)))
SCHEDULE: Schedule = schedule_network(NETWORK, TINY_CHIP)
# Calls of a runner, one a round: the hidden layer's two, and then the output layer's.
HIDDEN, OUTPUT = (0, 1), (2, 3)
EVERYTHING = ReadBack(share=1.0, seed=0)


def layers(run: Spoiled) -> list[LayerRun]:
    return list(run_network(SCHEDULE, streamed_in(NETWORK, IMAGES), run, EVERYTHING))


def test_what_is_tested_here() -> None:
    """Two layers of two rounds, the second one of several groups; a pass an image."""
    assert [len(layer.rounds) for layer in SCHEDULE.layers] == [2, 2]
    for layer in SCHEDULE.layers:
        assert [len(part.groups) for part in layer.rounds] == [2, 3]
        seats = [part.seats(np.arange(IMAGES)) for part in layer.rounds]
        assert all(np.array_equal(each, np.arange(IMAGES)) for each in seats)
    golden = Spoiled(-1, nothing)
    hidden, output = layers(golden)
    assert golden.calls == 4
    assert (hidden.strays, output.strays) == (0, 0)
    assert output.answered.all()
    assert output.membranes is not None
    expected = inference.run(NETWORK, draw(NETWORK, IMAGES))
    assert np.array_equal(output.membranes, expected.membrane)


# ---------------------------------------------------------------- a layer's run
@pytest.mark.parametrize("call", [*HIDDEN, *OUTPUT])
@pytest.mark.parametrize("job", [0, 2])
@pytest.mark.parametrize(
    "flit",
    [host(Region.SPIKE, 60, 0), host(Region.SPIKE, 0, NETWORK.timesteps)],
    ids=["of no neuron", "of no tick"],
)
def test_a_stray_counts_in_every_round(call: int, job: int, flit: NDArray[np.uint64]) -> None:
    found = [run.strays for run in layers(Spoiled(call, send(job, flit)))]
    assert found == ([1, 0] if call in HIDDEN else [0, 1])


@pytest.mark.parametrize("call", OUTPUT)
@pytest.mark.parametrize("job", [0, 2])
@pytest.mark.parametrize("which", [0, 11, -1])
def test_one_membrane_missing_leaves_one_image_without_answer(
    call: int, job: int, which: int
) -> None:
    """Of the first neuron of a round or the last one, of its first core or its last."""
    output = layers(Spoiled(call, lose_membrane(job, which)))[-1]
    assert output.answered.tolist() == [image != job for image in range(IMAGES)]


def test_two_rounds_may_each_miss_another_image() -> None:
    class Twice(Spoiled):
        def run(
            self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
        ) -> Run:
            self.call, self.fault = self.calls, nothing
            if self.calls in OUTPUT:
                self.fault = lose_membrane(self.calls - 2, 3)
            return super().run(program, stimuli, advance)

    assert layers(Twice(0, nothing))[-1].answered.tolist() == [False, False, True]


def test_every_round_reads_membranes_of_its_own_passes() -> None:
    """All of the output; of a hidden layer at least one pass in each round, at any share."""
    hidden, output = run_network(
        SCHEDULE, streamed_in(NETWORK, 40), GOLDEN, ReadBack(share=0.0, seed=3)
    )
    read = [[len(each) > 1 + NETWORK.timesteps for each in part.stimuli] for part in hidden.rounds]
    assert [sum(each) for each in read] == [1, 1]
    assert all(
        len(each) == 2 + NETWORK.timesteps for part in output.rounds for each in part.stimuli
    )


def test_draws_differ_by_seed_and_layer_and_reach_every_pass() -> None:
    def drawn(seed: int = 0, layer: str = "fc2") -> bytes:
        return ReadBack(0.5, seed).draw(layer, 64).tobytes()

    assert len({drawn(), drawn(seed=1), drawn(layer="fc3")}) == 3
    assert drawn() == drawn()
    only = [int(ReadBack(0.0, seed).draw("fc2", 5).argmax()) for seed in range(60)]
    assert set(only) == set(range(5))
    assert all(ReadBack(0.0, seed).draw("fc2", 5).sum() == 1 for seed in range(60))


# ---------------------------------------------------------------- golden beside RTL
def compared(golden: Spoiled, rtl: Spoiled | None, images: int = IMAGES) -> ChipResult:
    return run_streamed(SCHEDULE, NETWORK, draw(NETWORK, images), Chips(golden, rtl), EVERYTHING)


@pytest.mark.parametrize("call", [*HIDDEN, *OUTPUT])
@pytest.mark.parametrize("job", [0, 2])
def test_a_wrong_membrane_is_found_in_every_round(call: int, job: int) -> None:
    found = compared(Spoiled(-1, nothing), Spoiled(call, change_membrane(job))).comparison
    assert (found.mismatched_spikes, found.mismatched_membranes) == (0, 1)
    assert found.first is not None
    assert (found.first.image, found.first.what) == (job, "membrane")
    layer = SCHEDULE.layers[call // 2].layer.name
    assert found.first.place == f"layer {layer}, tile (0, 0)"


@pytest.mark.parametrize("call", OUTPUT)
@pytest.mark.parametrize("job", [0, 2])
def test_a_missing_answer_is_found_in_every_round(call: int, job: int) -> None:
    result = compared(Spoiled(-1, nothing), Spoiled(call, lose_membrane(job, 5)))
    found = result.comparison
    assert (found.mismatched_spikes, found.mismatched_membranes) == (0, 1)
    assert found.first is not None
    assert (found.first.image, found.first.got) == (job, None)
    answers = [answer.prediction for answer in result.answers["rtl"]]
    golden = [answer.prediction for answer in result.answers["golden"]]
    assert answers == [NO_ANSWER if image == job else golden[image] for image in range(IMAGES)]
    assert NO_ANSWER not in golden


@pytest.mark.parametrize("call", HIDDEN)
@pytest.mark.parametrize("job", [0, 2])
def test_a_missing_spike_is_found_in_every_round(call: int, job: int) -> None:
    found = compared(Spoiled(-1, nothing), Spoiled(call, lose_a_spike(job))).comparison
    assert found.mismatched_spikes == 1
    assert found.mismatched_membranes > 0  # of the layer behind, which it reaches
    assert found.first is not None
    assert (found.first.image, found.first.what) == (job, "spike")
    assert (found.first.expected, found.first.got) == (1, 0)
    assert found.first.place == "layer fc2, tile (0, 0)"


@pytest.mark.parametrize("call", HIDDEN)
@pytest.mark.parametrize("job", [0, 2])
def test_a_surplus_copy_of_a_spike_is_found_in_every_round(call: int, job: int) -> None:
    """It changes no spike of the layer, and so nothing behind it."""
    found = compared(Spoiled(-1, nothing), Spoiled(call, repeat_a_spike(job))).comparison
    assert (found.mismatched_spikes, found.mismatched_membranes) == (1, 0)
    assert found.first is not None
    assert (found.first.image, found.first.expected, found.first.got) == (job, 1, 2)


@pytest.mark.parametrize("call", OUTPUT)
def test_an_output_layer_that_fires_is_found_in_every_round(call: int) -> None:
    fires = send(1, host(Region.SPIKE, 4, 0))
    found = compared(Spoiled(-1, nothing), Spoiled(call, fires)).comparison
    assert (found.mismatched_spikes, found.mismatched_membranes) == (1, 0)
    result = compared(Spoiled(call, fires), None)
    assert result.mapping_mismatches == 1


def test_the_first_mismatch_is_that_of_the_earliest_layer_and_round() -> None:
    """Of two rounds that differ the first; later layers come later, whatever their ticks."""

    class Both(Spoiled):
        def run(
            self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
        ) -> Run:
            self.call, self.fault = self.calls, change_membrane(2 - self.calls % 2)
            return super().run(program, stimuli, advance)

    found = compared(Spoiled(-1, nothing), Both(0, nothing)).comparison
    assert found.mismatched_membranes == 4
    assert found.first is not None
    assert (found.first.image, found.first.place) == (2, "layer fc2, tile (0, 0)")


@pytest.mark.parametrize(
    ("call", "fault", "wrong"),
    [
        (1, send(2, host(Region.SPIKE, 60, 0)), 1),
        (3, send(2, host(Region.SPIKE, 60, 0)), 1),
        (3, change_membrane(1), 1),
        (2, lose_membrane(1, 0), 2),  # it is missing, and 0 is not its value
    ],
    ids=["stray", "stray of the output", "wrong output", "missing output"],
)
def test_the_network_misses_nothing_of_golden_either(call: int, fault: Fault, wrong: int) -> None:
    result = compared(Spoiled(call, fault), None)
    assert result.mapping_mismatches == wrong
    assert compared(Spoiled(-1, nothing), None).mapping_mismatches == 0


@pytest.mark.parametrize("call", HIDDEN)
def test_a_spike_that_golden_lacks_is_held_against_the_network(call: int) -> None:
    assert compared(Spoiled(call, lose_a_spike(1)), None).mapping_mismatches >= 1


def test_a_mismatch_names_its_image() -> None:
    for image in range(5):
        fault = Spoiled(HIDDEN[1], change_membrane(image))
        first = compared(Spoiled(-1, nothing), fault, images=5).comparison.first
        assert first is not None
        assert first.image == image


def test_golden_and_rtl_read_the_same_passes() -> None:
    reads: dict[str, list[list[bool]]] = {"golden": [], "rtl": []}

    def watched(level: str) -> Spoiled:
        class Watched(Spoiled):
            def run(
                self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
            ) -> Run:
                reads[level].append([len(each) > 1 + NETWORK.timesteps for each in stimuli])
                return super().run(program, stimuli, advance)

        return Watched(-1, nothing)

    chips = Chips(watched("golden"), watched("rtl"))
    run_streamed(SCHEDULE, NETWORK, draw(NETWORK, 40), chips, ReadBack(share=0.3, seed=2))
    assert reads["golden"] == reads["rtl"]
    assert 0 < sum(reads["golden"][HIDDEN[0]]) < 40


def test_totals_are_those_of_all_rounds() -> None:
    totals = sum(
        (
            Totals(10 * part, part, 0.5, {Counter.STALLS: np.full((1, 1), 2**32 * part)})
            for part in range(1, 4)
        ),
        Totals(),
    )
    assert (totals.cycles, totals.ticks, totals.wall_s) == (60, 6, 1.5)
    assert totals.counters[Counter.STALLS].tolist() == [[6 * 2**32]]
    found = compared(Spoiled(-1, nothing), Spoiled(-1, nothing))
    assert found.totals is not None
    assert found.totals.ticks == 4  # a round each
    assert {name: layer.ticks for name, layer in found.layers.items()} == {"fc2": 2, "fc3": 2}
