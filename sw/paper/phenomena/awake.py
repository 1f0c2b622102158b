"""Trainings without batch norm, whose layers fire from the start at every threshold.

Each layer's weights are scaled once, on some of the training images, so that its drives have a
given spread (layer-sequential unit-variance initialisation: Mishkin and Matas, ICLR 2016). The
spread is the same for all thresholds, so a higher one still means fewer spikes: nothing of it is
taken back, as batch norm does with a gain that starts at the threshold.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sw.data.dataset import Dataset
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork
from sw.paper.cells import Training

IMAGES = 256  # on which a spread is measured
SPREAD = 1.0


@dataclass(frozen=True)
class AwakeTraining(Training):
    """A training that starts from `awake` weights.

    Attributes:
        spread: see `awake`.
    """

    spread: float


def first(task: Training, images: Dataset) -> SpikingNetwork | None:
    """The weights that a training starts with; None: those that its seed draws."""
    if not isinstance(task, AwakeTraining):
        return None
    network = SpikingNetwork(task.network)
    network.reset(task.settings.seed)
    return awake(network, images, task.spread)


def awake(network: SpikingNetwork, images: Dataset, spread: float) -> SpikingNetwork:
    """Scales the weights of each hidden layer, the first one first.

    Args:
        network: without batch norm; it is changed.
        images: that it will be trained with; the first ones are taken.
        spread: standard deviation of a layer's drives, over images, steps and neurons.
    """
    values = network.inputs_of(torch.from_numpy(images.images[:IMAGES]))
    with torch.no_grad():
        for layer in network.chain[:-1]:
            layer.weight.mul_(spread / drives(network, layer, values).std())
    return network


def drives(network: SpikingNetwork, layer: SpikingLayer, values: Tensor) -> Tensor:
    """What a layer's membranes get for these inputs, in all steps."""
    found: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _layer, _inputs, drive: found.append(drive))
    try:
        network.trace(values)
    finally:
        hook.remove()
    return torch.cat(found)
