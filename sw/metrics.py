"""Figures of merit: accuracy, adversarial loss, spikes per layer."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sw.model import SpikingNetwork, as_input, at_rest

BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """A network's answers.

    Attributes:
        predictions: int64 [n], a class per image, the first one of equal scores.
        spikes: per hidden layer, how often its neurons fired, all images and steps together.
    """

    predictions: NDArray[np.int64]
    spikes: dict[str, int]


def evaluate(network: SpikingNetwork, images: NDArray[np.uint8]) -> Evaluation:
    """Classify images, uint8 [n, C, H, W], in evaluation mode; the network is left as it was."""
    predictions = [np.empty(0, dtype=np.int64)]
    spikes = {layer.name: 0 for layer in network.chain[:-1]}
    with at_rest(network), torch.no_grad():
        for start in range(0, len(images), BATCH):
            trace = network.trace(as_input(images[start : start + BATCH]))
            predictions.append(trace.scores.numpy().argmax(axis=1))
            for name, fired in trace.spikes.items():
                spikes[name] += int(fired.count_nonzero())
    return Evaluation(np.concatenate(predictions), spikes)


def accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Share of right answers, in per cent; of at least one image."""
    return 100 * float(np.mean(predictions == labels))


def adv_loss(clean: float, adversarial: float) -> float:
    """What an attack costs, in points: clean minus adversarial accuracy, both in per cent."""
    return clean - adversarial
