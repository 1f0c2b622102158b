"""A network of images as a network of the spikes that its encoding makes of them.

Between encoder and chip there are wires. Who changes spikes there, and not pixels, attacks this
network; its integers are those of the other one.
"""

from dataclasses import replace

import numpy as np
import torch

from sw.common.errors import InputError
from sw.data import spikes
from sw.data.dataset import Dataset, Images
from sw.model.config.inputs import Inputs
from sw.model.network import SpikingNetwork, as_input

TAKES: dict[Inputs, Inputs] = {"rate": "spikes", "phase": "phase_spikes", "latency": "spikes"}
BATCH = 100  # images at once


def check(network: SpikingNetwork) -> None:
    """Raises `InputError` unless its inputs are spikes of images."""
    encoding = network.config.encoding
    if encoding in TAKES:
        return
    why = "its inputs are pixels" if encoding == "direct" else "it takes spikes already"
    raise InputError(
        f"network {network.config.name}: {encoding} encoding, {why}; must be {' or '.join(TAKES)}"
    )


def spikes_of(network: SpikingNetwork, data: Dataset) -> Dataset:
    """The spikes of its own draw, uint8 0 or 1 [n, T, C, H, W], in the place of the images."""
    check(network)
    found = [_spikes(network, data.images[at : at + BATCH]) for at in range(0, len(data), BATCH)]
    return Dataset(spikes.NAME, np.concatenate(found), data.labels, data.classes)


def take_spikes(network: SpikingNetwork) -> None:
    """The network takes such spikes from now on."""
    check(network)
    encoding = TAKES[network.config.encoding]
    network.config = replace(network.config, encoding=encoding, dataset=spikes.NAME)


def _spikes(network: SpikingNetwork, images: Images) -> Images:
    with torch.no_grad():
        found = network.encode(as_input(images)).swapaxes(0, 1)
    return (found > 0).to(torch.uint8).contiguous().numpy()
