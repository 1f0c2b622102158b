"""Layers of any window and code that name their sources, against plain sums in numpy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.integer import network_file
from sw.integer.inference import run
from sw.integer.network import IntegerLayer
from sw.integer.window import Window
from sw.model.geometry import Geometry
from tests.support import integer_steps
from tests.support.graphs import random_graph, random_spikes

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_spikes_and_outputs_against_plain_sums(seed: int) -> None:
    spikes = random_spikes(seed)
    network = random_graph(seed)
    trace = run(network, spikes)
    for image, each in enumerate(spikes):
        fired, membranes = integer_steps.run(network, each)
        for name, found in trace.spikes.items():
            assert np.array_equal(found[:, image], fired[name]), name
        assert trace.membrane[image].tolist() == membranes


def test_the_networks_fire_sometimes_and_not_always() -> None:
    rates = [
        float(found.mean())
        for seed in SEEDS
        for found in run(random_graph(seed), random_spikes(seed)).spikes.values()
    ]
    assert sum(0.02 < rate < 0.98 for rate in rates) > 0.7 * len(rates)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_and_back_as_a_file(seed: int, tmp_path: Path) -> None:
    network = random_graph(seed)
    network_file.save(tmp_path / "network", network)
    again = network_file.load(tmp_path / "network")
    assert again.feeds == network.feeds == (((0,),), ((1,),), ((1, 2),), ((3,),), ((4,),))
    for ours, theirs in zip(network.layers, again.layers, strict=True):
        assert (ours.geometry, ours.code, ours.sources) == (
            theirs.geometry,
            theirs.code,
            theirs.sources,
        )
    spikes = random_spikes(seed)
    assert np.array_equal(run(network, spikes).membrane, run(again, spikes).membrane)


def test_what_does_not_fit_is_said() -> None:
    network = random_graph(0)
    first, second, third, *rest = network.layers

    def refused(*layers: IntegerLayer) -> str:
        with pytest.raises(InputError) as caught:
            replace(network, layers=layers)
        return str(caught.value)

    late = replace(second, sources=("conv3",))
    assert "conv3, which is no layer before it" in refused(first, late, third, *rest)
    lone = replace(third, sources=("conv2",))
    assert "layer conv3: takes" in refused(first, second, lone, *rest)
    with pytest.raises(InputError, match="larger than its inputs"):
        replace(first, window=Window(Geometry(20), Geometry(2)))
    with pytest.raises(InputError, match="has a window, but is fully connected"):
        replace(rest[0], window=Window(Geometry(1), Geometry(1)))
    with pytest.raises(InputError, match="code 'one': must be odd or twos"):
        replace(first, code="one")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "numbers", [[3, 1, 1], [3, 1, 1, 3, 0, 1], [3, 1, 3, 3, 1, 0], [3, 1, 1, 3, 1, True], "conv"]
)
def test_a_window_that_is_none(numbers: object) -> None:
    with pytest.raises(InputError, match=r"^layer x: "):
        Window.of("layer x", numbers)


@pytest.mark.parametrize(
    "spikes",
    [
        np.full((1, 5, 2, 9, 8), 2, np.uint8),
        np.zeros((1, 5, 2, 9, 8), np.int64),
        np.zeros((1, 4, 2, 9, 8), np.uint8),
    ],
)
def test_spikes_that_do_not_fit(spikes: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="network graph0 takes uint8 0 or 1"):
        run(random_graph(0), spikes)
