"""No two epochs, steps or layers share what is drawn for a training."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sw.data.dataset import Dataset
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train import loop as module
from sw.train.loop import train
from sw.train.settings import TrainSettings

CONFIG = NetworkConfig(
    name="twins",
    dataset="digits",
    input_shape=(1, 16, 16),
    classes=("a", "b"),
    layers=(LayerSpec("conv", 4), LayerSpec("conv", 4), LayerSpec("conv", 4), LayerSpec("fc", 4)),
)
COUNT, BATCH = 40, 20


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, list[int], int]]:
    """Of each step of a training of 3 + 1 epochs: its images, their numbers, and the draw."""
    seen: list[tuple[Tensor, list[int], int]] = []

    def step(run: Any, images: Tensor, labels: Tensor) -> tuple[float, int, None]:
        # The one pixel of an image that is not 0 has its number.
        seen.append((images, (images * 255).amax((1, 2, 3)).int().tolist(), run.network.draw))
        return 1.0, 0, None

    monkeypatch.setattr(module, "_step", step)
    images = np.zeros((COUNT, 1, 16, 16), np.uint8)
    images[:, 0, 8, 8] = np.arange(COUNT) + 100  # in the middle: no crop takes it away
    data = Dataset("digits", images, np.arange(COUNT) % 2, CONFIG.classes)
    settings = TrainSettings(epochs=3, quantised_epochs=1, batch=BATCH, augment=True)
    train(CONFIG, data, settings)
    return seen


def test_epochs_have_orders_and_changes_of_their_own(
    steps: list[tuple[Tensor, list[int], int]],
) -> None:
    assert len(steps) == 4 * COUNT // BATCH
    epochs = [steps[first : first + 2] for first in range(0, len(steps), 2)]
    orders = [[number for _, numbers, _ in epoch for number in numbers] for epoch in epochs]
    for order in orders:
        assert sorted(order) == list(range(100, 100 + COUNT))
    assert len(set(map(tuple, orders))) == len(orders)
    shifts = []
    for epoch, order in zip(epochs, orders, strict=True):
        places = torch.cat([images.flatten(1).argmax(1) for images, _, _ in epoch]).numpy()
        shifts.append(places[np.argsort(order)])
    for one in range(len(shifts)):
        for other in range(one):
            assert np.mean(shifts[one] == shifts[other]) < 0.3, (one, other)


def test_batches_have_changes_of_their_own(steps: list[tuple[Tensor, list[int], int]]) -> None:
    for first in range(0, len(steps), 2):
        one, other = (images.flatten(1).argmax(1) for images, _, _ in steps[first : first + 2])
        assert (one == other).float().mean() < 0.5


def test_every_step_of_both_parts_draws_spikes_of_its_own(
    steps: list[tuple[Tensor, list[int], int]],
) -> None:
    draws = [draw for _, _, draw in steps]
    assert len(set(draws)) == len(draws)
    assert 0 not in draws  # that is how networks are evaluated


def test_layers_of_one_shape_have_weights_of_their_own() -> None:
    network = SpikingNetwork(CONFIG)
    network.reset(3)
    weights = [layer.weight.detach().flatten().numpy() for layer in network.chain[1:3]]
    assert weights[0].shape == weights[1].shape
    assert np.abs(np.corrcoef(weights[0], weights[1])[0, 1]) < 0.5
