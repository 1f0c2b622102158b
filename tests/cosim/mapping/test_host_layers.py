"""Rate, phase and latency encoding: the first layer on the chip too, resident and streamed."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from cosim.mapping.host_layers import chip_layers, timestep_writes
from cosim.mapping.resident import map_network
from cosim.program.program import Program
from hw.spec import FLIT, FULL_CHIP, ChipShape, Register
from sw.common.errors import InputError
from sw.model.config.inputs import Encoding
from tests.support.mapping.on_golden import TINY_CHIP, assert_resident, assert_streamed
from tests.support.networks import SMALL, random_network

BINARY = ("rate", "latency", "phase")


@pytest.mark.parametrize("encoding", BINARY)
@pytest.mark.parametrize("seed", range(2))
def test_resident(encoding: Encoding, seed: int) -> None:
    network = random_network(seed, SMALL, timesteps=10, encoding=encoding)
    program = assert_resident(network)
    assert [layer.name for layer in program.layers] == [layer.name for layer in network.layers]
    assert program.ticks == 10 + 4


@pytest.mark.slow
@pytest.mark.parametrize("encoding", BINARY)
@pytest.mark.parametrize("seed", range(2))
def test_streamed(encoding: Encoding, seed: int) -> None:
    """Ten steps: in phase encoding the highest bit comes again in the ninth."""
    network = random_network(seed, SMALL, timesteps=10, encoding=encoding)
    schedule = assert_streamed(network, 2, TINY_CHIP)
    assert len(schedule.layers) == len(network.layers)


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_layers_on_the_chip(encoding: Encoding) -> None:
    network = random_network(0, SMALL, encoding=encoding)
    assert len(chip_layers(network)) == len(SMALL) - (encoding == "direct")


def test_step_weights_by_hand() -> None:
    """One plane of +2 and one of -1 on cores (0, 0) and (1, 0): both, shifted left by 7, 6, 5."""
    network = random_network(0, SMALL, timesteps=3, weight_bits=1, encoding="phase")
    first, second = network.layers[:2]
    writes = timestep_writes(network, first, (2, -1), [0, 1])
    register = [(Register.PLANE_WEIGHT, 0x100), (Register.PLANE_WEIGHT + 1, 0xFF80)]
    assert [(FLIT.get(int(w), "offset"), FLIT.get(int(w), "data")) for w in writes[0]] == register
    assert [FLIT.get(int(step[0]), "data") for step in writes] == [256, 128, 64]
    assert {FLIT.get(int(word), "x1") for step in writes for word in step} == {1}
    given = timestep_writes(replace(network, encoding="phase_spikes"), first, (2, -1), [0, 1])
    assert np.array_equal(given, writes)
    assert timestep_writes(network, second, (2, -1), [0, 1]) == ()
    assert timestep_writes(replace(network, encoding="rate"), first, (2, -1), [0]) == ()


def test_step_weights_that_do_not_fit() -> None:
    network = random_network(0, SMALL, encoding="phase")
    wide = replace(network.layers[0], fraction_bits=5)
    network = replace(network, layers=(wide, *network.layers[1:]))
    message = r"layer conv1 needs plane weights up to 65536 for the first of 8 phases"
    with pytest.raises(InputError, match=message):
        map_network(network, FULL_CHIP)


def test_writes_for_every_step_or_none() -> None:
    nothing = np.zeros(0, np.uint64)
    with pytest.raises(ValueError, match="writes for 1 of 2 steps"):
        Program(ChipShape(1, 1), (), timesteps=2, timestep_writes=(nothing,))
