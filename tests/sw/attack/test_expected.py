"""Expectation over draws of a random encoding: the mean of them, never the network's own."""

import dataclasses

import numpy as np
import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.gradient.losses import cross_entropy
from sw.attack.gradient.sight import Sight
from sw.attack.gradient.way import Way
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork, as_input


@pytest.fixture
def network() -> SpikingNetwork:
    layers = (LayerSpec("conv", 6, pool=True), LayerSpec("fc", 16))
    found = SpikingNetwork(dataclasses.replace(DIGITS, layers=layers, encoding="rate"), 4)
    found.reset(3)
    return found.eval()


def test_the_mean_over_draws_each_look_with_others(
    network: SpikingNetwork, held_out: Dataset
) -> None:
    network.draw = 5
    pixels, labels = as_input(held_out.images[:6]), torch.from_numpy(held_out.labels[:6])
    sight = Sight(Way(draws=3))
    for look in range(2):
        found = sight.look(network, pixels, labels)
        alone = []
        for draw in range(6 + 3 * look, 9 + 3 * look):
            network.draw = draw
            alone.append(Sight(Way()).look(network, pixels, labels))
        network.draw = 5
        gradient, scores, losses = (
            torch.stack([getattr(each, name) for each in alone]).mean(0)
            for name in ("gradient", "scores", "losses")
        )
        assert not torch.equal(alone[0].gradient, alone[1].gradient)
        assert torch.equal(found.gradient, gradient)
        assert torch.equal(found.scores, scores)
        assert torch.equal(found.losses, losses)
        own = Sight(Way()).look(network, pixels, labels)
        assert not torch.equal(own.scores, found.scores)


def test_the_network_keeps_its_own_draw(network: SpikingNetwork, held_out: Dataset) -> None:
    network.draw = 7
    pixels, labels = as_input(held_out.images[:2]), torch.from_numpy(held_out.labels[:2])

    def broken(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        Sight(Way(draws=3)).look(network, pixels, labels, broken)
    assert (network.draw, network.fire) == (7, None)
    Sight(Way(draws=2)).look(network, pixels, labels, cross_entropy)
    assert network.draw == 7


def test_assg_moves_its_means_once_for_all_draws(
    network: SpikingNetwork, held_out: Dataset
) -> None:
    """With the first draw: so the slope of all draws is that of one."""
    pixels, labels = as_input(held_out.images[:4]), torch.from_numpy(held_out.labels[:4])
    looks = []
    for draws in (1, 3):
        sight = Sight(Way(surrogate="assg", draws=draws))
        sight.look(network, pixels, labels)
        slope = sight._slope
        looks.append(slope._means["conv1"])  # type: ignore[attr-defined]
    assert torch.equal(looks[0][0], looks[1][0])
    assert torch.equal(looks[0][1], looks[1][1])


@pytest.mark.slow
def test_an_attack_that_expects_is_bounded_and_seeded(
    network: SpikingNetwork, held_out: Dataset
) -> None:
    data = held_out.take(slice(0, 12))
    attack = Attack("apgd", 20, steps=4, seed=2)
    [first], [again], [known] = (
        attack.at([20], network, data, way) for way in (Way(draws=2), Way(draws=2), Way())
    )
    assert np.abs(first.images.astype(int) - data.images).max() <= 20
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, known.images)
    assert evaluate(network, first.images).predictions.shape == (12,)
