"""Streamed mapping: windows, groups, slots and rounds, what they cost, and what is refused."""

import numpy as np
import pytest

from cosim.mapping.layer.placement import place_alike
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.core_image import core_xy
from cosim.program.program import rectangles
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.networks import SMALL, VGG5, Sketch, random_network


def vgg5() -> Schedule:
    return schedule_network(random_network(0, VGG5, input_shape=(3, 32, 32)))


def test_vgg5() -> None:
    """All cores work, and equally much: 64 tiles of 2 x 2 pixels in 16 and in 8 slots."""
    conv2, conv3, fc4, fc5 = vgg5().layers
    for layer, groups, slots, neurons, pages in (
        (conv2, 4, 16, {128}, 1),
        (conv3, 8, 8, {64}, 2),
        (fc4, 12, 5, {21, 22}, 8),
        (fc5, 1, 64, {10}, 1),
    ):
        [part] = layer.rounds
        assert (len(part.groups), len(part.slots)) == (groups, slots), layer.layer.name
        assert {core.neurons for core in part.program.cores} == neurons
        assert {core.pages for core in part.program.cores} == {pages}
        assert len(part.program.cores) == groups * slots
    assert conv2.windows.tiles == conv3.windows.tiles == 64


def test_cost_by_hand() -> None:
    """A port plays its slots' spikes, 32 axons a flit; 16 cycles fetch a page; neurons pass."""
    conv2, conv3, fc4, fc5 = vgg5().layers
    assert conv2.cycles_per_tick == 2 * 1024 // 32 + 16 + 128
    assert conv3.cycles_per_tick == 2048 // 32 + 2 * (16 + 64)
    assert fc4.cycles_per_tick == 8192 // 32 + 8 * (16 + 22)
    assert fc5.cycles_per_tick == 8 * 256 // 32 + 16 + 10
    assert conv2.rows == 128 * 16 * 16 * 5
    assert conv3.rows == 128 * 16 * 16 * 5 * 2
    assert conv3.cycles(timesteps=4) == 8 * 4 * 224  # 8 passes an image
    assert fc4.cycles(timesteps=4) == 4 * 560 / 5  # 5 images a pass
    five = np.arange(5)
    passes = [part.passes(part.seats(five)) for layer in vgg5().layers for part in layer.rounds]
    assert passes == [20, 40, 1, 1]


def test_a_tile_has_the_slot_of_its_image_whichever_others_are_there() -> None:
    """fc4 of VGG5 has five slots and a tile an image: image 7 is always in the third."""
    *_, fc4, _ = vgg5().layers
    [part] = fc4.rounds
    assert part.seats(np.arange(8)).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert part.seats(np.array([7])).tolist() == [2]
    assert part.seats(np.array([1, 7, 24])).tolist() == [1, 5 + 2, 10 + 4]  # none runs for nothing
    assert part.seats(np.array([24, 7, 1])).tolist() == [10 + 4, 5 + 2, 1]
    assert part.behind(4).seats(np.array([3, 0])).tolist() == [5 + 2, 4]
    assert part.passes(part.seats(np.array([1, 7, 24]))) == 3


def test_all_tiles_share_their_weights() -> None:
    """The cores of one group hold the same, wherever they are; those of a slot one rectangle."""
    [part] = vgg5().layers[1].rounds
    images = {core.number: core for core in part.program.cores}
    for cores in zip(*part.slots, strict=True):
        first, *others = (images[core] for core in cores)
        assert all(np.array_equal(first.synapses, other.synapses) for other in others)
    assert all(len(rectangles(frozenset(slot))) == 1 for slot in part.slots)
    ports = [core_xy(slot[0])[1] for slot in part.slots]
    assert ports == list(range(8))  # every row's port feeds one


def test_more_groups_than_cores_take_rounds() -> None:
    """64 axons in one page: 12 neurons of 5 planes a core, 4 cores: 50 neurons in 2 rounds."""
    network = random_network(
        0, (Sketch("conv", 1), Sketch("fc", 50), Sketch("fc", 2)), input_shape=(1, 8, 8)
    )
    fc2 = schedule_network(network, TINY_CHIP).layers[0]
    assert [len(part.groups) for part in fc2.rounds] == [2, 3]
    channels = [
        channel for part in fc2.rounds for group in part.groups for channel in range(*group)
    ]
    assert channels == list(range(50))
    assert fc2.cycles_per_tick == 2 * (64 // 32 + 2 + 10)


@pytest.mark.parametrize(
    ("size", "count", "boxes"),
    [(4, 16, 1), (8, 8, 1), (16, 4, 1), (1, 64, 1), (3, 21, 2), (9, 7, 3)],
)
def test_place_alike(size: int, count: int, boxes: int) -> None:
    places = place_alike(size, count, ChipShape())
    cores = [core for place in places for core in place]
    assert len(places) == count
    assert {len(place) for place in places} == {size}
    assert len(set(cores)) == len(cores)
    assert all(0 <= core < 64 for core in cores)
    assert max(len(rectangles(frozenset(place))) for place in places) <= boxes


# ---------------------------------------------------------------- refusals
def test_too_many_axons() -> None:
    wide = random_network(0, (Sketch("conv", 129), Sketch("fc", 4), Sketch("fc", 2)))
    message = r"layer fc2 needs 8256 axons for one neuron, a core has 8 pages x 1024 = 8192"
    with pytest.raises(InputError, match=message):
        schedule_network(wide)


def test_too_many_dendrites() -> None:
    deep = random_network(0, (Sketch("conv", 8), Sketch("fc", 4), Sketch("fc", 2)))
    message = r"layer fc2 needs 40 dendrites for one output channel .* a core has 32"
    with pytest.raises(InputError, match=message):
        schedule_network(deep, ChipShape(8, 8, 64, 32))


def test_too_many_planes() -> None:
    with pytest.raises(InputError, match="layer conv2 needs 9 planes for weights of 8 bits"):
        schedule_network(random_network(0, SMALL, weight_bits=8))
