"""One stimulus again is the one that the run has played, image or pass."""

import numpy as np
import pytest

from cosim.experiment.levels.resident import image_stimuli
from cosim.experiment.levels.single import Place, single
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.mapping.noise import with_noise
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.stimulus import Step
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.integer.network import IntegerNetwork
from tests.support.faults import GOLDEN
from tests.support.mapping.on_golden import TINY_CHIP, draw, streamed_in
from tests.support.networks import SMALL, Sketch, random_network

IMAGES = 3
NETWORK = random_network(5, (Sketch("conv", 2), Sketch("fc", 50), Sketch("fc", 50)))
MIXED = random_network(4, SMALL)


def same(one: list[Step], other: list[Step]) -> bool:
    return len(one) == len(other) and all(
        a.go == b.go and np.array_equal(a.flits, b.flits) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("network", [NETWORK, MIXED], ids=["an image a pass", "tiles"])
def test_every_pass_of_a_streamed_network(network: IntegerNetwork) -> None:
    schedule = schedule_network(network, TINY_CHIP)
    images = draw(network, IMAGES)
    runs = run_network(schedule, streamed_in(network, IMAGES), GOLDEN, ReadBack(1.0, 0))
    seen = 0
    for layer in runs:
        for number, run in enumerate(layer.rounds):
            for place, played in enumerate(run.stimuli):
                where = Place(0, 0, layer.schedule.layer.name, number, place)
                again = single(schedule, network, images, where)
                assert same(again.steps, list(played)), where
                seen += 1
    assert seen > IMAGES


@pytest.mark.parametrize("first", [1, 2])
def test_a_pass_of_a_run_that_begins_inside_a_block_with_noise(first: int) -> None:
    """Its images are played by the slots, with the noise, that they have where all are played."""
    schedule = with_noise(schedule_network(MIXED, TINY_CHIP), 14, seed=3, before=first)
    assert isinstance(schedule, Schedule)
    images, behind = draw(MIXED, IMAGES), streamed_in(MIXED, IMAGES, first)
    assert any(part.lead for layer in schedule.layers for part in layer.rounds)
    quiet = run_network(schedule_network(MIXED, TINY_CHIP), behind, GOLDEN, ReadBack(1.0, 0))
    noisy = run_network(schedule, behind, GOLDEN, ReadBack(1.0, 0))
    different = 0
    for layer, silent in zip(noisy, quiet, strict=True):
        different += int(np.any(layer.spikes.bits != silent.spikes.bits))
        for number, run in enumerate(layer.rounds):
            for place, played in enumerate(run.stimuli):
                where = Place(0, first, layer.schedule.layer.name, number, place)
                assert same(single(schedule, MIXED, images, where).steps, list(played)), where
    assert different


def test_an_image_of_a_resident_network() -> None:
    program = map_network(MIXED, ChipShape(4, 4, 256, 256))
    images = draw(MIXED, IMAGES)
    for number, played in enumerate(image_stimuli(program, MIXED, images)):
        assert same(single(program, MIXED, images, Place(number, 0)).steps, played)
    with pytest.raises(InputError, match="image 3: must be 0 to 2"):
        single(program, MIXED, images, Place(3, 0))
    with pytest.raises(InputError, match="as a whole"):
        single(program, MIXED, images, Place(0, 0, "conv1"))


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (Place(0, 0, "none"), "must be one of"),
        (Place(0, 0, None, 7), "round 7"),
        (Place(0, 0, None, 0, 99), "pass 99"),
    ],
)
def test_a_place_that_is_not_there(place: Place, word: str) -> None:
    with pytest.raises(InputError, match=word):
        single(schedule_network(NETWORK, TINY_CHIP), NETWORK, draw(NETWORK, IMAGES), place)
