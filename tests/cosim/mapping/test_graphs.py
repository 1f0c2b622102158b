"""Networks with branches and windows of any kind: integer network, golden model and RTL agree."""

from dataclasses import replace

import pytest

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.experiment.levels.streamed.passes import ReadBack
from cosim.experiment.levels.streamed.run import run_streamed
from cosim.golden.runner import GoldenRunner
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import schedule_network
from cosim.program.runner import Runner
from cosim.rtl.runner import verilated
from hw.spec import ChipShape
from sw.common.stopwatch import Stopwatch
from sw.integer.network import IntegerNetwork
from tests.support.graphs import random_graph, random_spikes

CHIP = ChipShape(2, 2, 128, 64)
LARGE = ChipShape(8, 8, 256, 256)


def _through(network: IntegerNetwork, seed: int, rtl: Runner | None) -> ChipResult:
    schedule = schedule_network(network, CHIP)
    chips = Chips(GoldenRunner(), rtl)
    return run_streamed(schedule, network, random_spikes(seed), chips, ReadBack(1.0, seed))


@pytest.mark.parametrize("seed", range(12))
def test_streamed_through_the_golden_model(seed: int) -> None:
    result = _through(random_graph(seed), seed, None)
    assert result.mapping_mismatches == 0
    assert len(result.answers["golden"]) == 3


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_of_any_windows_is_resident(seed: int) -> None:
    graph = random_graph(seed)
    first, second, _, *_ = graph.layers
    hidden = random_graph(seed).layers[3:]
    shape = second.output_shape
    flat = replace(
        hidden[0],
        weights=hidden[0].weights[:, : _size(shape)],
        input_shape=shape,
    )
    if flat.weights.shape[1] < _size(shape):
        pytest.skip("its first layer gives more than its third")
    network = replace(graph, layers=(first, second, flat, *hidden[1:]))
    program = map_network(network, LARGE)
    spikes = random_spikes(seed)
    result = run_resident(program, network, spikes, Chips(GoldenRunner(), None), Stopwatch())
    assert result.mapping_mismatches == 0


@pytest.mark.parametrize("seed", range(12))
def test_branches_meet_on_a_resident_chip(seed: int) -> None:
    network, spikes = random_graph(seed), random_spikes(seed)
    program = map_network(network, LARGE)
    assert [layer.delay for layer in program.layers] == [0, 1, 2, 3, 4]
    result = run_resident(program, network, spikes, Chips(GoldenRunner(), None), Stopwatch())
    assert result.mapping_mismatches == 0


@pytest.mark.rtl
@pytest.mark.parametrize("seed", [1, 4])
def test_streamed_through_the_rtl(seed: int) -> None:
    result = _through(random_graph(seed), seed, verilated(CHIP))
    assert result.mapping_mismatches == 0
    assert result.comparison.spikes > 0
    assert result.comparison.mismatched_spikes == result.comparison.mismatched_membranes == 0


def _size(shape: tuple[int, int, int]) -> int:
    return shape[0] * shape[1] * shape[2]
