"""What a step of training learns from: images as they are, or attacked by the network as it stands.

An attack moves pixels by whole steps of 1/255, along the gradient of the network in evaluation mode
(batch norm as it has measured), through rounded weights where they are rounded. What is drawn is
drawn by the training's seed and the number of the step, so that a training goes on as it was.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.config.inputs import PIXEL_MAX
from sw.model.config.network import NetworkConfig
from sw.model.encoding import DIFFERENTIABLE
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork, as_input, at_rest
from sw.train.settings import Adversarial, TrainSettings

MEASURED, MEASURED_STEPS = 256, 10  # images and steps of `robust_accuracy`: so few, to be cheap
START = 1  # what is drawn, in the generator's key

Loss = Callable[[Tensor], Tensor]  # scores [B, classes] -> what the attack raises, of all images


class Lesson(NamedTuple):
    """What a step sees: scores, float [B, classes], and the loss that it goes down."""

    scores: Tensor
    loss: Tensor


def lesson(
    network: SpikingNetwork, images: Tensor, labels: Tensor, settings: TrainSettings
) -> Lesson:
    """The loss of a batch of inputs, or of what an attack makes of them.

    Args:
        network: in training mode; its `draw` is the number of the step.
        images: as `inputs_of` gives them.
        labels: int64 [B].
        settings: of the training.

    Returns:
        The scores are those of attacked images; TRADES': of the images as they are.
    """
    how = settings.adversarial
    if how is None:
        return _learnt(network, images, labels)
    start = _start(images, how.eps, settings.seed, network.draw)
    if how.method != "trades":
        worse = attacked(network, images, start, how, lambda scores: _entropy(scores, labels))
        return _learnt(network, worse, labels)
    with at_rest(network):
        answers = network(images).float().detach()
    worse = attacked(network, images, start, how, lambda scores: _divergence(answers, scores))
    scores, moved = network(torch.cat([images, worse])).float().chunk(2)
    return Lesson(scores, _entropy(scores, labels) + how.weight * _divergence(scores, moved))


def attacked(
    network: SpikingNetwork, images: Tensor, start: Tensor, how: Adversarial, loss: Loss
) -> Tensor:
    """Images within eps of these that raise a loss, float [B, C, H, W], multiples of 1/255.

    Args:
        network: left as it was.
        images: float [B, C, H, W] in 0..1, multiples of 1/255.
        start: whole numbers -eps..eps of the images' shape: from where it starts.
        how: the strength, and how many steps.
        loss: of the network's scores.
    """
    pixels = (images * PIXEL_MAX).round()
    least, most = (pixels - how.eps).clamp(min=0), (pixels + how.eps).clamp(max=PIXEL_MAX)
    found = (pixels + start).clamp(0, PIXEL_MAX)
    with at_rest(network):
        for _ in range(how.steps):
            seen = (found / PIXEL_MAX).requires_grad_()
            (uphill,) = torch.autograd.grad(loss(network(seen)), seen)
            found = (found + how.stride * uphill.sign()).clamp(least, most)
    return found / PIXEL_MAX


def robust_accuracy(network: SpikingNetwork, data: Dataset, how: Adversarial, seed: int) -> float:
    """Per cent of right answers under PGD of as large an eps, of at most the first 256 images."""
    part = data.take(slice(MEASURED))
    device = network.chain[0].weight.device
    images, labels = as_input(part.images).to(device), torch.from_numpy(part.labels).to(device)
    pgd = Adversarial("pgd", how.eps, MEASURED_STEPS)
    start = _start(images, how.eps, seed, step=0)
    worse = attacked(network, images, start, pgd, lambda scores: _entropy(scores, labels))
    grid = (worse * PIXEL_MAX).round().to(torch.uint8).cpu().numpy()
    return accuracy(evaluate(network, grid).predictions, part.labels)


def check(config: NetworkConfig) -> None:
    """Raises `InputError` for a network whose inputs have no gradient to attack along."""
    if config.takes_spikes:
        raise InputError(
            f"network {config.name}: takes spikes, which cannot be moved by 1/255: adversarial"
            " training is for images"
        )
    if config.encoding not in DIFFERENTIABLE:
        raise InputError(
            f"network {config.name}: encoding {config.encoding} has no gradient by the pixels, so"
            f" there is no adversarial training: must be {' or '.join(DIFFERENTIABLE)}"
        )


def _learnt(network: SpikingNetwork, images: Tensor, labels: Tensor) -> Lesson:
    scores = network(images)
    return Lesson(scores, _entropy(scores, labels))


def _entropy(scores: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(scores.float(), labels)


def _divergence(answers: Tensor, moved: Tensor) -> Tensor:
    """How far other scores' classes are from these scores', Kullback and Leibler's, the mean."""
    there, here = (values.float().log_softmax(1) for values in (moved, answers))
    return F.kl_div(there, here, reduction="batchmean", log_target=True)


def _start(images: Tensor, eps: int, seed: int, step: int) -> Tensor:
    """Whole numbers from -eps to eps, all equally likely, float of the images' shape."""
    counted = np.random.Generator(np.random.Philox(key=[seed, START], counter=[0, 0, 0, step]))
    drawn = counted.integers(-eps, eps, images.shape, np.int16, endpoint=True)
    return torch.from_numpy(drawn).to(images)
