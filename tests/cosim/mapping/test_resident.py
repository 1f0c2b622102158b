"""Resident networks on the golden model against the same networks as plain convolutions."""

from dataclasses import replace

import numpy as np
import pytest

from cosim.mapping import resident
from cosim.mapping.layer import tiling
from cosim.mapping.resident import map_network
from cosim.mapping.usage import chip_record, utilisation
from cosim.program.core_image import core_number
from cosim.record.chip_facts import totals
from hw.spec import FULL_CHIP, ChipShape, ResetMode
from sw.common.errors import InputError
from sw.integer import inference
from sw.integer.network import IntegerLayer, IntegerNetwork
from sw.model import geometry
from sw.model.config import layer as layer_config
from sw.model.geometry import Geometry
from tests.support.mapping.on_golden import assert_resident
from tests.support.networks import CONVOLUTIONS, OTHER_GEOMETRIES, SMALL, Sketch, random_network

DIGITS = (
    Sketch("conv", 16),
    Sketch("conv", 32, pool=True),
    Sketch("conv", 32, pool=True),
    Sketch("fc", 64),
    Sketch("fc", 10),
)


@pytest.mark.parametrize("seed", range(3))
def test_digits_network(seed: int) -> None:
    """16 cores; conv2 is one tile, its 1024 axons an untiled image."""
    program = assert_resident(random_network(seed, DIGITS))
    assert [row.cores for row in utilisation(program)] == [11, 3, 1, 1]
    assert program.ticks == 4 + 3


@pytest.mark.parametrize("seed", range(6))
def test_many_tiles(seed: int) -> None:
    """Small cores, so that convolutions need tiles with halos and groups of channels."""
    network = random_network(seed, SMALL, timesteps=3, leak=(None, 1, 3)[seed % 3])
    program = assert_resident(network, shape=ChipShape(8, 8, 64, 128))
    assert utilisation(program)[0].cores > 8


@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
@pytest.mark.parametrize("weight_bits", [1, 2, 4, 7])
def test_resets_and_weight_bits(reset: str, weight_bits: int) -> None:
    network = random_network(7, SMALL, reset=reset, weight_bits=weight_bits)  # type: ignore[arg-type]
    assert_resident(network, shape=ChipShape(8, 8, 256, 256))


@pytest.mark.parametrize(
    ("sketches", "side", "pages"),
    [
        ((Sketch("conv", 128), Sketch("conv", 16), Sketch("fc", 4)), 4, 2),  # 2048 axons
        ((Sketch("conv", 64), Sketch("fc", 40), Sketch("fc", 5)), 8, 4),  # 4096
        ((Sketch("conv", 128), Sketch("fc", 30), Sketch("fc", 5)), 8, 8),  # 8192
        ((Sketch("conv", 120), Sketch("fc", 7), Sketch("fc", 5)), 8, 8),  # 7680: not all used
    ],
)
def test_pages(sketches: tuple[Sketch, ...], side: int, pages: int) -> None:
    program = assert_resident(random_network(11, sketches, input_shape=(1, side, side)))
    layers = {layer.name: layer for layer in program.layers}
    number = int(layers[f"{sketches[1].kind}2"].core.flat[0])
    assert {core.pages for core in program.cores if core.number == number} == {pages}


def test_a_full_chip() -> None:
    """62 of 64 cores, 32 x 32 pixels, pooled on the host."""
    sketches = (
        Sketch("conv", 16, pool=True),
        Sketch("conv", 32, pool=True),
        Sketch("conv", 32, pool=True),
        Sketch("fc", 100),
        Sketch("fc", 10),
    )
    network = random_network(5, sketches, input_shape=(3, 32, 32))
    program = assert_resident(network, images=2)
    assert [row.cores for row in utilisation(program)] == [48, 12, 1, 1]


def test_one_layer_on_the_chip() -> None:
    assert_resident(random_network(3, (Sketch("conv", 4, pool=True), Sketch("fc", 10))))


def test_registers() -> None:
    """Window, leak, reset and threshold of each layer; the output can never fire."""
    network = random_network(1, DIGITS, leak=3, reset="subtract")
    program = map_network(network)
    layers = {layer.name: layer for layer in program.layers}
    for core in program.cores:
        name = next(name for name, layer in layers.items() if core.number in layer.core)
        delay = list(layers).index(name)
        assert (core.first_tick, core.last_tick) == (delay, delay + 4)
        assert core.plane_weights == (16 << 10, 8 << 10, 4 << 10, 2 << 10, -15 << 10)
        assert core.trace
        hidden = name != "fc5"
        assert core.leak == (3 if hidden else None)
        assert core.reset == (ResetMode.SUBTRACT if hidden else ResetMode.NONE)
        assert core.noise_mask == (0 if hidden else 0xFFFF)
        assert core.seed == 1
    conv2 = network.layers[1]
    at = layers["conv2"]
    [core] = [core for core in program.cores if core.number == at.core[9, 3, 5]]
    assert core.threshold[at.neuron[9, 3, 5]] == conv2.threshold[9]
    assert core.bias[at.neuron[9, 3, 5]] == conv2.bias[9]


def test_fan_out_that_is_too_large_takes_more_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_network(2, SMALL)
    shape = ChipShape(8, 8, 64, 256)
    before = map_network(network, shape)
    most = max(len(core.fanout) for core in before.cores)
    monkeypatch.setattr(resident, "FANOUT_ENTRIES", most - 1)
    after = assert_resident(network, shape=shape)
    assert max(len(core.fanout) for core in after.cores) < most
    assert len(after.cores) > len(before.cores)


def test_utilisation_by_hand() -> None:
    """16 inputs to 3 neurons of 5 planes, 3 to 2; the code of i has popcount(i) + 1 synapses."""
    network = random_network(4, (Sketch("conv", 1, pool=True), Sketch("fc", 3), Sketch("fc", 2)))
    bits = [
        sum(bin((int(w) + 15) // 2).count("1") + 1 for w in layer.weights.flat)
        for layer in network.layers[1:]
    ]
    program = map_network(network, ChipShape(2, 2, 64, 16))
    rows = utilisation(program)
    assert [tuple(row.counts.values()) for row in rows] == [
        (1, 3, 15, 16, bits[0]),
        (1, 2, 10, 3, bits[1]),
    ]
    assert tuple(totals(chip_record(program)).values()) == (2, 5, 25, 19, sum(bits))


# ---------------------------------------------------------------- refusals
def _layer(network: IntegerNetwork, index: int, **changes: object) -> IntegerNetwork:
    layers = list(network.layers)
    layers[index] = replace(layers[index], **changes)  # type: ignore[arg-type]
    return replace(network, layers=tuple(layers))


def _refused(network: IntegerNetwork, shape: ChipShape, message: str) -> None:
    with pytest.raises(InputError, match=message):
        map_network(network, shape)


def test_too_few_cores() -> None:
    _refused(
        random_network(0, DIGITS),
        ChipShape(4, 3),
        r"layer conv3 needs 3 cores and 1 of the chip's 12 are left "
        r"\(in all 16: conv2 11, conv3 3, fc4 1, fc5 1\)",
    )


def test_too_many_axons() -> None:
    wide = (Sketch("conv", 129), Sketch("fc", 4), Sketch("fc", 2))
    message = r"layer fc2 needs 8256 axons for one neuron, a core has 8 pages x 1024 = 8192"
    _refused(random_network(0, wide), FULL_CHIP, message)
    deep = (Sketch("conv", 60), Sketch("conv", 2), Sketch("fc", 2))
    message = r"layer conv2 needs 540 axons for one neuron, a core has 8 pages x 64 = 512"
    _refused(random_network(0, deep), ChipShape(8, 8, 64, 1024), message)


def test_too_many_dendrites() -> None:
    wide = (Sketch("conv", 8), Sketch("fc", 4), Sketch("fc", 2))
    message = r"layer fc2 needs 5 planes x 8 pages = 40 dendrites for one neuron, a core has 32"
    _refused(random_network(0, wide), ChipShape(8, 8, 64, 32), message)


def test_weights_that_do_not_fit() -> None:
    eight = random_network(0, SMALL, weight_bits=8)
    _refused(
        eight, FULL_CHIP, r"layer conv2 needs 9 planes for weights of 8 bits, a core has 8: use 7"
    )
    shifted = _layer(random_network(0, SMALL), 2, fraction_bits=11)
    message = r"layer conv3 needs plane weights up to 32768 \(4 bits and 11 fraction bits\)"
    _refused(shifted, FULL_CHIP, message)


@pytest.mark.parametrize(("name", "value"), [("threshold", 1 << 31), ("bias", -(1 << 31) - 1)])
def test_parameters_that_do_not_fit(name: str, value: int) -> None:
    """A layer checks this itself; the mapper must not rely on it, it would wrap."""
    network = random_network(0, SMALL)
    layer: IntegerLayer = network.layers[1]
    object.__setattr__(layer, name, np.full(layer.features, value, np.int64))
    _refused(
        network, FULL_CHIP, f"layer conv2 has a {name} from {value} to {value}, a core's holds"
    )


def test_unlike_places_use_the_same_numbers() -> None:
    """Core numbers in the maps are those of the core images."""
    program = map_network(random_network(0, DIGITS))
    used = {int(number) for layer in program.layers for number in np.unique(layer.core)}
    assert used == {core_number(core.x, core.y) for core in program.cores}


@pytest.mark.parametrize("convolution", OTHER_GEOMETRIES, ids=str)
def test_another_convolution(convolution: Geometry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sw.model.geometry` is the one door: the mapper has no kernel or stride of its own."""
    monkeypatch.setattr(layer_config, "CONVOLUTION", convolution)
    network = random_network(4, CONVOLUTIONS, input_shape=(1, 17, 16), timesteps=3)
    assert network.layers[1].weights.shape[2:] == (convolution.kernel, convolution.kernel)
    program = assert_resident(network, shape=ChipShape(8, 8, 128, 256))
    assert len(program.cores) > 3


def test_another_pooling(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (geometry, inference, tiling):
        monkeypatch.setattr(module, "POOLING", Geometry(3, stride=3))
    sketches = (Sketch("conv", 2, pool=True), Sketch("conv", 4, pool=True), Sketch("fc", 3))
    network = random_network(1, sketches, input_shape=(1, 18, 9))
    assert [layer.pooled_shape for layer in network.layers[:2]] == [(2, 6, 3), (4, 2, 1)]
    assert_resident(network)
