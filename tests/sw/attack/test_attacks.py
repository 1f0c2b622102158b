"""FGSM: Eq. 3 step by step, on the pixel grid, bounded, and harmful."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.network import SpikingNetwork, as_input
from sw.train.checkpoint import Checkpoint
from tests.support.attacks import fgsm
from tests.support.networks import clear_of_zero

NETWORKS = ("float_network", "quantised_network")


def _loss(network: SpikingNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    with torch.no_grad():
        return F.cross_entropy(network(as_input(images)), torch.from_numpy(labels)).item()


@pytest.mark.parametrize("eps", [2, 8, 16])
@pytest.mark.parametrize("which", NETWORKS)
def test_each_pixel_moves_by_eps_to_the_loss(
    committed: Checkpoint, held_out: Dataset, which: str, eps: int
) -> None:
    network: SpikingNetwork = getattr(committed, which)
    images, labels = held_out.images[:40], held_out.labels[:40]
    adversarial = fgsm(network, images, labels, eps)
    assert adversarial.dtype == np.uint8
    assert adversarial.shape == images.shape

    pixels = (torch.from_numpy(images).float() / 255).requires_grad_()
    loss = -torch.log_softmax(network(pixels), 1)[torch.arange(40), torch.from_numpy(labels)]
    (gradient,) = torch.autograd.grad(loss.sum(), pixels)
    clear = clear_of_zero(gradient)
    step = eps * gradient.sign().numpy().astype(np.int64)
    assert np.array_equal(adversarial[clear], np.clip(images + step, 0, 255)[clear])
    assert np.abs(adversarial.astype(np.int64) - images).max() <= eps


@pytest.mark.slow
@pytest.mark.parametrize("which", NETWORKS)
def test_the_loss_rises_and_only_along_the_gradient(
    committed: Checkpoint, held_out: Dataset, which: str
) -> None:
    """eps = 2 is an eighth of a grey level: too little to stand out among thresholds."""
    network: SpikingNetwork = getattr(committed, which)
    images, labels = held_out.images, held_out.labels
    loss = _loss(network, images, labels)
    generator = np.random.default_rng(4)
    for eps, factor in ((8, 2), (16, 4)):
        adversarial = fgsm(network, images, labels, eps)
        steps = adversarial.astype(np.int64) - images
        assert _loss(network, adversarial, labels) > factor * loss
        for other in (-steps, eps * generator.choice([-1, 1], size=steps.shape)):
            moved = np.clip(images + other, 0, 255).astype(np.uint8)
            assert _loss(network, moved, labels) < 1.6 * loss


def test_the_two_networks_are_attacked_differently(
    committed: Checkpoint, held_out: Dataset
) -> None:
    images, labels = held_out.images[:40], held_out.labels[:40]
    first, second = (fgsm(getattr(committed, which), images, labels, 8) for which in NETWORKS)
    assert not np.array_equal(first, second)


def test_leaves_the_network_as_it_was(committed: Checkpoint, held_out: Dataset) -> None:
    network = SpikingNetwork(committed.config, 4)
    network.load_state_dict(committed.quantised_network.state_dict())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    fgsm(network, held_out.images[:8], held_out.labels[:8], 8)
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_no_images(committed: Checkpoint, held_out: Dataset) -> None:
    attacked = fgsm(committed.float_network, held_out.images[:0], held_out.labels[:0], 8)
    assert attacked.shape == (0, 1, 8, 8)


@pytest.mark.parametrize("eps", [-1, 256])
def test_bad_eps(committed: Checkpoint, held_out: Dataset, eps: int) -> None:
    with pytest.raises(InputError, match=f"eps is {eps}: must be 0 to 255, in 1/255"):
        fgsm(committed.float_network, held_out.images, held_out.labels, eps)
