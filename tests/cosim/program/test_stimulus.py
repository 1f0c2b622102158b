"""Steps and responses: packets pinned by hand, pipeline length, decoding."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage, core_number
from cosim.program.program import InputMap, LayerMap, Program
from cosim.program.stimulus import (
    Observation,
    class_membranes,
    control,
    decode,
    image_stimulus,
    layer_spikes,
    read,
    write,
)
from hw.spec import ChipShape, Control, Region, Register

CHIP = ChipShape(3, 2, 64, 64)


def core(x: int, neurons: int) -> CoreImage:
    return CoreImage(
        x=x,
        y=0,
        plane_weights=(1,),
        neurons=neurons,
        synapses=np.zeros((1, neurons, 1, 64), np.bool_),
        threshold=np.zeros(neurons, np.int32),
        bias=np.zeros(neurons, np.int32),
        fanout_start=np.zeros(neurons, np.int64),
        fanout_count=np.zeros(neurons, np.int64),
        fanout=np.zeros(0, np.uint32),
    )


def layer(name: str, delay: int, core_x: int, neurons: list[int]) -> LayerMap:
    neuron = np.array(neurons).reshape(-1, 1, 1)
    return LayerMap(name, delay, np.full_like(neuron, core_number(core_x, 0)), neuron)


PROGRAM = Program(
    CHIP,
    (core(0, 3), core(2, 2)),
    (layer("fc2", 0, 0, [2, 0, 1]), layer("fc3", 1, 2, [1, 0])),
    InputMap((2, 1, 1), np.array([0, 1]), np.array([100, 200], np.uint64)),
    timesteps=2,
)


def host(x: int, region: int, offset: int, data: int) -> int:
    return 3 << 62 | x << 50 | region << 47 | offset << 32 | data


def test_commands_by_hand() -> None:
    assert int(read(Region.MEMBRANE, 0, 3, x=1, y=1)) == (
        2 << 62 | 1 << 59 | 1 << 56 | 1 << 53 | 1 << 50 | 3 << 47 | 3
    )
    assert int(write(Region.REGISTER, Register.FLOOR, -2, x=0, y=0)) == (
        1 << 62 | 4 << 47 | 8 << 32 | 0xFFFFFFFE
    )
    assert control(CHIP, Control.RESTART).flits.tolist() == [
        1 << 62 | 1 << 59 | 2 << 56 | 4 << 47 | 1
    ]


def test_steps_of_an_image() -> None:
    spikes = np.array([[True, False], [True, True]]).reshape(2, 2, 1, 1)
    restart, first, second, drain, reads = image_stimulus(PROGRAM, spikes)
    assert restart.flits.tolist() == control(CHIP, Control.RESTART).flits.tolist()
    assert first.flits.tolist() == [100]
    assert second.flits.tolist() == [100, 200]
    assert drain.flits.size == 0
    assert reads.flits.tolist() == [
        int(read(Region.MEMBRANE, 0, n, x=x, y=0)) for x, n in ((0, 3), (2, 2))
    ]
    assert [p.go for p in (restart, first, second, drain, reads)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_input_of_the_wrong_length() -> None:
    with pytest.raises(ValueError, match="3 steps of input, the program takes 2"):
        image_stimulus(PROGRAM, np.zeros((3, 2, 1, 1), np.bool_))
    with pytest.raises(ValueError, match="no input map"):
        image_stimulus(Program(CHIP, ()), np.zeros((2, 2, 1, 1), np.bool_))


def responses() -> list[NDArray[np.uint64]]:
    """Out of order, over two steps, with other read-back among them."""
    return [
        np.array([host(2, 7, 1, 2), host(0, 7, 2, 1), host(0, 7, 2, 0)], np.uint64),
        np.zeros(0, np.uint64),
        np.array([host(2, 3, 1, 5), host(2, 3, 0, 0xFFFFFFFF), host(0, 5, 0, 9)], np.uint64),
    ]


def test_decode() -> None:
    observation = decode(responses())
    assert observation.spikes.tolist() == [[0, 0, 2], [1, 0, 2], [2, 2, 1]]
    assert observation.membranes.tolist() == [[2, 0, -1], [2, 1, 5]]
    assert decode([]).spikes.shape == (0, 3)
    assert decode([]).membranes.shape == (0, 3)


def test_spikes_per_layer_and_class_membranes() -> None:
    observation = decode(responses())
    spikes = layer_spikes(PROGRAM, observation)
    assert spikes["fc2"].reshape(2, 3).tolist() == [[True, False, False], [True, False, False]]
    assert spikes["fc3"].reshape(2, 2).tolist() == [[False, False], [True, False]]
    assert class_membranes(PROGRAM, observation).tolist() == [5, -1]


@pytest.mark.parametrize("stray", [[2, 0, 2], [0, 2, 1], [0, 1, 0], [0, 0, 3]])
def test_a_stray_spike_is_not_overlooked(stray: list[int]) -> None:
    """Behind or before its layer's window, of a core or a neuron without layer."""
    spikes = np.array([[0, 0, 2], stray])
    with pytest.raises(
        ValueError, match="tick {}, core {}, neuron {}: a spike of no".format(*stray)
    ):
        layer_spikes(PROGRAM, Observation(spikes, np.zeros((0, 3), np.int64)))


def test_a_missing_membrane_is_not_overlooked() -> None:
    membranes = np.array([[2, 0, -1], [0, 1, 3]])
    with pytest.raises(ValueError, match="layer fc3: not all membranes were read"):
        class_membranes(PROGRAM, Observation(np.zeros((0, 3), np.int64), membranes))
