"""Arms of other sizes, own spikes and thresholds by neuron on the chip, in every spike."""

from dataclasses import replace

import numpy as np
import pytest

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.experiment.levels.streamed.passes import ReadBack
from cosim.experiment.levels.streamed.run import run_streamed
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import choose_mapping
from cosim.mapping.noise import with_noise
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.mapping.usage import utilisation
from cosim.program.program import Program
from cosim.program.runner import Runner
from cosim.rtl.runner import verilated
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.common.stopwatch import Stopwatch
from sw.integer.network import IntegerNetwork
from tests.support.arms import random_arms, random_inputs

CHIP = ChipShape(2, 2, 128, 64)
WIDE = ChipShape(2, 2, 256, 256)
LARGE = ChipShape(8, 8, 256, 128)
# Networks of three recurrent layers and a relay that are resident on CHIP:
SEEDS_OF_CHIP = [263, 322]


def _resident(network: IntegerNetwork, shape: ChipShape, rtl: Runner | None) -> ChipResult:
    spikes = random_inputs(network, 0, 3)
    chips = Chips(GoldenRunner(), rtl)
    return run_resident(map_network(network, shape), network, spikes, chips, Stopwatch())


@pytest.mark.parametrize("seed", range(40))
def test_resident_through_the_golden_model(seed: int) -> None:
    result = _resident(random_arms(seed), LARGE, None)
    assert result.mapping_mismatches == 0
    assert len(result.answers["golden"]) == 3


@pytest.mark.parametrize("seed", range(24))
def test_streamed_through_the_golden_model(seed: int) -> None:
    network = random_arms(seed, recurrent=False)
    schedule = schedule_network(network, WIDE)
    chips, read_back = Chips(GoldenRunner(), None), ReadBack(1.0, seed)
    result = run_streamed(schedule, network, random_inputs(network, seed), chips, read_back)
    assert result.mapping_mismatches == 0


def test_what_is_recurrent_is_resident_or_not_at_all() -> None:
    network = next(each for each in map(random_arms, range(9)) if each.layers[3].recurrent)
    with pytest.raises(InputError, match=r"layer \w+ is recurrent: its spikes come back a tick"):
        schedule_network(network, CHIP)
    with pytest.raises(InputError, match=r"layer \w+ needs \d+ "):
        choose_mapping(network, ChipShape(1, 1, 64, 64))
    assert isinstance(choose_mapping(network, LARGE), Program)


def test_thresholds_by_neuron_need_one_tile() -> None:
    network = random_arms(0, recurrent=False)
    first = replace(network.layers[0], beside=())
    by_neuron = replace(first, threshold=first.spread(first.threshold) + 0)
    network = replace(network, layers=(by_neuron, *network.layers[1:]))
    small = ChipShape(1, 1, 64, 64)
    with pytest.raises(InputError, match="conv1 has thresholds or biases that differ within"):
        schedule_network(network, small)
    assert isinstance(schedule_network(network, LARGE), Schedule)


def test_relays_are_counted_silent_to_the_host_and_without_noise() -> None:
    network = next(
        each for each in map(random_arms, range(40)) if len(_relays(map_network(each, LARGE))) > 1
    )
    program = map_network(network, LARGE)
    relays = _relays(program)
    assert [use.layer for use in utilisation(program)][-1] == "relays"
    assert utilisation(program)[-1].cores == len(relays)
    noisy = with_noise(program, 3, 1)
    assert isinstance(noisy, Program)
    fires = {int(core) for layer in program.layers[:-1] for core in np.unique(layer.core)}
    masks = {core.number: core.noise_mask for core in noisy.cores}
    assert all(
        (masks[number] == 7) == (number in fires)
        for number in masks
        if number not in _last(program)
    )


def _relays(program: Program) -> list[int]:
    return [core.number for core in program.cores if not core.trace]


def _last(program: Program) -> set[int]:
    return set(np.unique(program.layers[-1].core).tolist())


@pytest.mark.rtl
@pytest.mark.parametrize("seed", SEEDS_OF_CHIP)
def test_resident_through_the_rtl(seed: int) -> None:
    network = random_arms(seed, strides=(1,))
    result = _resident(network, CHIP, verilated(CHIP))
    assert result.mapping_mismatches == 0
    assert result.comparison.spikes > 0
    assert result.comparison.mismatched_spikes == result.comparison.mismatched_membranes == 0


@pytest.mark.rtl
@pytest.mark.parametrize("seed", [33, 71])  # tiles that see arms of stride 2 and 4
def test_streamed_through_the_rtl(seed: int) -> None:
    network = random_arms(seed, recurrent=False)
    schedule, chips = schedule_network(network, CHIP), Chips(GoldenRunner(), verilated(CHIP))
    assert any(layer.windows.tiles > 1 for layer in schedule.layers)
    spikes = random_inputs(network, 0, 3)
    result = run_streamed(schedule, network, spikes, chips, ReadBack(1.0, seed))
    assert result.mapping_mismatches == 0
    assert result.comparison.spikes > 0
    assert result.comparison.mismatched_spikes == result.comparison.mismatched_membranes == 0
