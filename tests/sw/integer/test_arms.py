"""Layers of several arms, of their own spikes and of thresholds by neuron, against plain sums."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.integer import network_file
from sw.integer.arm import Arm, fan_in_of
from sw.integer.inference import run
from sw.integer.network import INPUT, IntegerLayer, IntegerNetwork
from sw.integer.window import Window
from sw.model.geometry import Geometry
from tests.support import integer_steps
from tests.support.arms import random_arms, random_inputs

SEEDS = range(40)
KINDS: tuple[Callable[[IntegerLayer], bool], ...] = (
    lambda layer: layer.recurrent and layer.geometry is None,
    lambda layer: layer.recurrent and layer.geometry is not None,
    lambda layer: any(arm.input_shape[1:] != layer.input_shape[1:] for arm in layer.beside),
    lambda layer: len(layer.beside) == 2,
    lambda layer: layer.threshold.ndim == 3 and layer.bias.ndim == 1,
    lambda layer: layer.bias.ndim == 3,
)


@pytest.mark.parametrize("seed", SEEDS)
def test_spikes_and_outputs_against_plain_sums(seed: int) -> None:
    network = random_arms(seed)
    spikes = random_inputs(network, seed)
    trace = run(network, spikes)
    for image, each in enumerate(spikes):
        fired, membranes = integer_steps.run(network, each)
        for name, found in trace.spikes.items():
            assert np.array_equal(found[:, image], fired[name] > 0), f"seed {seed}, {name}"
        assert trace.membrane[image].tolist() == membranes


def test_the_networks_have_all_that_there_is_and_fire() -> None:
    networks = [random_arms(seed) for seed in SEEDS]
    layers = [layer for network in networks for layer in network.layers]
    for has in KINDS:
        assert sum(map(has, layers)) > 2
    rates = [
        float(found.mean())
        for seed, network in zip(SEEDS, networks, strict=True)
        for found in run(network, random_inputs(network, seed)).spikes.values()
    ]
    assert sum(0.02 < rate < 0.98 for rate in rates) > 0.6 * len(rates)


@pytest.mark.parametrize("seed", range(10))
def test_there_and_back_as_a_file(seed: int, tmp_path: Path) -> None:
    network = random_arms(seed)
    network_file.save(tmp_path / "network", network)
    again = network_file.load(tmp_path / "network")
    assert again.feeds == network.feeds
    spikes = random_inputs(network, seed)
    ours, theirs = run(network, spikes), run(again, spikes)
    assert np.array_equal(ours.membrane, theirs.membrane)
    assert all(np.array_equal(ours.spikes[name], theirs.spikes[name]) for name in ours.spikes)


def _layers() -> tuple[IntegerNetwork, tuple[IntegerLayer, ...]]:
    network = random_arms(0)
    return network, network.layers


def _zeros(layer: IntegerLayer, window: Window | None, shape: Shape, source: str) -> Arm:
    weights = np.zeros((layer.features, *fan_in_of(window, shape)), np.int32)
    return Arm(weights, window, shape, (source,))


def test_what_does_not_fit_is_said() -> None:
    network, (first, second, third, hidden, output) = _layers()

    def refused(*layers: IntegerLayer) -> str:
        with pytest.raises(InputError) as caught:
            replace(network, layers=layers)
        return str(caught.value)

    itself = replace(first, sources=("conv1",))
    assert "layer conv1: its own spikes must come beside" in refused(itself, *network.layers[1:])
    flat = np.zeros((hidden.features, 2 * hidden.features), np.int32)
    flat += 1 if hidden.code == "odd" else -1
    twice = Arm(flat, None, (2 * hidden.features, 1, 1), (hidden.name,) * 2)
    both = replace(hidden, beside=(twice,))
    assert "its own spikes must come beside" in refused(first, second, third, both, output)
    far = Window(Geometry(first.input_shape[1]), Geometry(first.input_shape[2]))
    one_pixel = _zeros(first, far, first.input_shape, INPUT)
    with pytest.raises(InputError, match=r"layer conv1: adds \(\d+, 1, 1\) to"):
        replace(first, beside=(one_pixel,))
    flat_arm = _zeros(first, None, first.input_shape, INPUT)
    with pytest.raises(InputError, match="adds a convolution and a fully connected layer"):
        replace(first, beside=(flat_arm,))
    large = replace(twice, weights=twice.weights + (1 << 10))
    with pytest.raises(InputError, match="layer fc4: weights must be"):
        replace(hidden, beside=(large,))
    with pytest.raises(InputError, match="layer conv1: threshold: are int64"):
        replace(first, threshold=np.ones((first.features, 1, 1), np.int64))


def test_a_damaged_arm_in_a_file(tmp_path: Path) -> None:
    network = next(each for each in map(random_arms, SEEDS) if each.layers[0].beside)
    path = tmp_path / "network"
    network_file.save(path, network)
    whole = path.read_bytes()
    for right, wrong in (
        (b"beside0", b"beside1"),
        (b'"window', b'"windov'),
        (b"by_neuron", b"by_neurom"),
    ):
        if right in whole:
            path.write_bytes(whole.replace(right, wrong))
            with pytest.raises(InputError, match=str(path)):
                network_file.load(path)
