"""A chip's threshold noise as the network in software takes it: from the LFSRs' seeds alone.

With it the quantised network fires where the chip fires, so an attack finds the gradient that the
chip does not tell.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cosim.golden.cores.lfsr import lfsr_run
from cosim.mapping.choose import Mapping
from cosim.mapping.streamed import LayerSchedule, Round
from cosim.program.core_image import CoreImage
from cosim.program.program import LayerMap, Program
from sw.common.errors import InputError
from sw.integer.fold import membrane_of_one
from sw.model.network import SpikingNetwork

Noise = NDArray[np.int64]


def threshold_noise(mapping: Mapping, images: int) -> dict[str, Noise]:
    """What each firing layer's thresholds are higher by, for images 0, 1, .. of a block.

    By name, int64 [T, 1 or images, C, H, W]: 1 where all images have the same.
    """
    if isinstance(mapping, Program):
        cores = {core.number: _of_core(core, mapping.timesteps) for core in mapping.cores}
        return {layer.name: _resident(layer, cores) for layer in mapping.layers[:-1]}
    return {
        layer.layer.name: _streamed(layer, mapping.timesteps, images)
        for layer in mapping.layers
        if layer.layer.spiking
    }


@contextmanager
def noisy(
    network: SpikingNetwork, mapping_of: Callable[[int], Mapping], images: int
) -> Iterator[None]:
    """A quantised network with the noise of a mapping for each draw, and then as it was.

    It must be shown the first `images` of a block together.

    Raises:
        InputError: the chip has neurons with noise that the network has not.
    """
    units = _units(network)
    known: dict[int, dict[str, Tensor]] = {}  # of the last draw

    def of(layer: str, draw: int) -> Tensor | None:
        if draw not in known:
            found = threshold_noise(mapping_of(draw), images)
            _check(network, set(found) - set(units))
            known.clear()
            known[draw] = {
                name: torch.from_numpy(noise * units[name][:, None, None]).to(
                    network.chain[0].weight
                )
                for name, noise in found.items()
            }
        return known[draw].get(layer)

    before, network.noise = network.noise, of
    try:
        yield
    finally:
        network.noise = before


def _units(network: SpikingNetwork) -> dict[str, NDArray[np.float64]]:
    """What 1 of the chip's membranes is in each hidden layer of the network, by channel."""
    assert network.weight_bits is not None
    encodings = [network.config.encoding, *[None] * len(network.chain)]
    return {
        layer.name: membrane_of_one(layer, network.weight_bits, encoding)
        for layer, encoding in zip(network.chain[:-1], encodings, strict=False)
    }


def _check(network: SpikingNetwork, unknown: set[str]) -> None:
    if unknown:
        raise InputError(
            f"network {network.config.name}: the chip pools in neurons of their own "
            f"({', '.join(sorted(unknown))}), whose noise the network in software has not: take "
            "attacks by queries, square and rays"
        )


def _of_core(core: CoreImage, steps: int) -> Noise:
    """What is added to a core's thresholds in the steps that it is active, int64 [T, neurons]."""
    states, _ = lfsr_run(core.seed, steps * core.neurons)
    return (states & core.noise_mask).reshape(steps, core.neurons)


def _resident(layer: LayerMap, cores: dict[int, Noise]) -> Noise:
    """Every image is given to the same cores, restarted."""
    steps = next(iter(cores.values())).shape[0]
    found = np.empty((steps, 1, *layer.core.shape), np.int64)
    for number in np.unique(layer.core).tolist():
        here = layer.core == number
        found[:, 0, here] = cores[number][:, layer.neuron[here]]
    return found


def _streamed(schedule: LayerSchedule, steps: int, images: int) -> Noise:
    """Every image is given to the slots that its tiles fall to."""
    windows = schedule.windows
    if windows.tiles % len(schedule.rounds[0].slots) == 0:
        images = 1
    parts = [_of_slots(part, steps) for part in schedule.rounds]
    seats = [part.seats(np.arange(images)) % len(part.slots) for part in schedule.rounds]
    by_tile = np.concatenate([part[seat] for part, seat in zip(parts, seats, strict=True)], axis=2)
    by_channel = by_tile.reshape(len(by_tile), steps, schedule.layer.features, windows.pixels)
    return windows.join(by_channel).swapaxes(0, 1)


def _of_slots(part: Round, steps: int) -> Noise:
    """int64 [slots, T, C * pixels], of the output channels of a round."""
    cores = {core.number: _of_core(core, steps) for core in part.program.cores}
    return np.stack([np.concatenate([cores[number] for number in slot], 1) for slot in part.slots])
