"""Figures of merit: accuracy, adversarial loss, spikes per layer, signal to noise of spikes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sw.model.geometry import output_shape
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork, at_rest, exact

BATCH = 256
BATCH_STEPS = 8 * BATCH  # of all inputs at once: long recordings come in smaller batches


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
    """Classify inputs, uint8, in evaluation mode, `exact`; the network is left as it was.

    Args:
        network: any.
        images: [n, C, H, W]; of a network that takes spikes, these: [n, T, C, H, W].
    """
    device = network.chain[0].weight.device
    batch = max(1, min(BATCH, BATCH_STEPS // network.timesteps))
    predictions = [np.empty(0, dtype=np.int64)]
    spikes = {layer.name: 0 for layer in network.chain[:-1]}
    with at_rest(network), exact(network), torch.no_grad():
        for start in range(0, len(images), batch):
            values = torch.from_numpy(np.ascontiguousarray(images[start : start + batch]))
            trace = network.trace(network.inputs_of(values.to(device)))
            predictions.append(trace.scores.cpu().numpy().argmax(axis=1))
            for name, fired in trace.spikes.items():
                spikes[name] += int(fired.count_nonzero())
    return Evaluation(np.concatenate(predictions), spikes)


def accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Share of right answers, in per cent; of at least one image."""
    return 100 * float(np.mean(predictions == labels))


def adv_loss(clean: float, adversarial: float) -> float:
    """What an attack costs, in points: clean minus adversarial accuracy, both in per cent."""
    return clean - adversarial


def activity(network: SpikingNetwork, spikes: Mapping[str, int], images: int) -> dict[str, float]:
    """Spike activity per hidden layer: spikes per neuron and image, over all T steps.

    The paper's inter-layer spike activity (Table 3, Figure 3), before pooling. It is at most T.

    Args:
        network: whose layers they are.
        spikes: how often each layer's neurons fired, all images together, as `evaluate` counts.
        images: how many images, at least 1.
    """
    neurons = {layer.name: _neurons(layer) for layer in network.chain[:-1]}
    return {name: spikes[name] / (count * images) for name, count in neurons.items()}


def mean_activity(by_layer: Mapping[str, float]) -> float:
    """Mean over the hidden layers, each counting the same whatever its size."""
    return math.fsum(by_layer.values()) / len(by_layer)


def nsr(clean: int, adversarial: int) -> float:
    """Noise to signal ratio of a layer's spikes, Eq. 14: (SA1 - SA2) / SA1.

    Above 0 where the attack silences the layer, below 0 where it makes it fire more, and 0 where
    the counts are equal, a layer that stays silent included. A silent layer (SA1 = 0) that the
    attack wakes gives minus infinity.

    Args:
        clean: SA1, spikes for the clean images.
        adversarial: SA2, spikes for the attacked ones.
    """
    if clean == adversarial:
        return 0.0
    return (clean - adversarial) / clean if clean else -math.inf


def snr(clean: int, adversarial: int) -> float:
    """Signal to noise ratio of a layer's spikes, Eq. 14: SA1 / (SA1 - SA2).

    Where SA1 = SA2 there is no noise, and the ratio is infinite (its limit from either side but for
    the sign). A silent layer that the attack wakes gives 0.
    """
    return math.inf if clean == adversarial else clean / (clean - adversarial)


def _neurons(layer: SpikingLayer) -> int:
    """Neurons of a layer: an output per pixel for a convolution."""
    spec = layer.spec
    return math.prod(output_shape(spec.geometry, spec.features, layer.input_shape))
