"""Whether a batch of images fits into memory: asked before any is taken."""

import os
from pathlib import Path

import torch

from sw.common.errors import InputError
from sw.model.geometry import output_shape
from sw.model.network import SpikingNetwork

BYTES = 70  # for a neuron and step on the way there and back; measured up to 65, with ASSG
MEMORY = Path("/proc/meminfo")
GIB = 1 << 30


def check_memory(network: SpikingNetwork, batch: int, times: int = 1) -> None:
    """Raises `InputError` if the gradient of so many images takes more memory than is free.

    `times` is for how many times its steps the network is run.
    """
    each = times * _an_image(network)
    needed, free = batch * each, _free(network.chain[0].weight.device)
    if needed <= free:
        return
    fits = max(1, free // each)
    raise InputError(
        f"network {network.config.name}: {batch} images at once take about"
        f" {needed / GIB:.1f} GiB, and {free / GIB:.1f} GiB are free: --batch must be"
        f" {fits} or less"
    )


def _an_image(network: SpikingNetwork) -> int:
    neurons = 0
    for layer in network.chain[:-1]:
        channels, height, width = output_shape(
            layer.spec.geometry, layer.spec.features, layer.input_shape
        )
        neurons += channels * height * width
    return BYTES * neurons * network.timesteps


def _free(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free
    if MEMORY.exists():
        for line in MEMORY.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
