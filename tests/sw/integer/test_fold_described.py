"""Networks of described layers, folded: the integer network fires where the quantised one does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sw.integer import network_file
from sw.integer.fold import fold
from sw.integer.inference import Trace, run
from sw.model.network import NetworkTrace
from tests.support.descriptions import random_config, with_numbers

SEEDS = range(16)


def _pixels(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, size=(20, 1, 8, 8), dtype=np.uint8)


def _both(seed: int, folder: Path, *, subtract: bool) -> tuple[NetworkTrace, Trace]:
    network = with_numbers(random_config(seed, folder, subtract=subtract), seed)
    pixels = _pixels(seed)
    with torch.no_grad():
        quantised = network.trace(torch.from_numpy(pixels).double() / 255)
    return quantised, run(fold(network), pixels)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_spike(seed: int, tmp_path: Path) -> None:
    quantised, integer = _both(seed, tmp_path, subtract=False)
    rates = []
    for name, spikes in quantised.spikes.items():
        assert np.array_equal(integer.spikes[name], spikes.numpy() == 1), f"seed {seed}, {name}"
        rates.append(float(spikes.mean()))
    assert sum(0.01 < rate < 0.99 for rate in rates) >= len(rates) - 1


def test_a_pool_that_is_a_layer_comes_back_from_its_file(tmp_path: Path) -> None:
    folded = fold(with_numbers(random_config(7, tmp_path), 7))
    assert [layer.name for layer in folded.layers][1:3] == ["middle", "middle.pool"]
    assert not any("middle" in arm.sources for layer in folded.layers[3:] for arm in layer.arms)
    network_file.save(tmp_path / "network", folded)
    again = network_file.load(tmp_path / "network")
    ours, theirs = run(folded, _pixels(7)), run(again, _pixels(7))
    assert np.array_equal(ours.membrane, theirs.membrane)
    assert ours.spikes["middle.pool"].any()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_threshold_that_is_subtracted_is_rounded_once(seed: int, tmp_path: Path) -> None:
    """What is left of a membrane is not exact then: a spike in a thousand may differ."""
    quantised, integer = _both(seed, tmp_path, subtract=True)
    for name, spikes in quantised.spikes.items():
        same = np.mean(integer.spikes[name] == (spikes.numpy() == 1))
        assert same > 0.999, f"seed {seed}, {name}"
    assert (integer.predictions == quantised.scores.numpy().argmax(1)).mean() > 0.9
