"""Training steps of one network by several libraries, for comparing their speed.

All have the same layers, batch and optimiser: convolutions and fully connected layers with batch
norm, LIF neurons that reset to zero, max pooling, an output layer that integrates, and AdamW. The
others are written as their documentation does it, in float32; ours is measured in bfloat16, as
`nc64c train --fast` has it, and in float32 like theirs.
"""

import importlib
import math
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sw.common.checks import check_choice
from sw.common.errors import InputError
from sw.model.config.network import NetworkConfig
from sw.model.geometry import POOLING, output_shape, pooled_shape
from sw.model.network import SpikingNetwork

Scores = Callable[[Tensor], Tensor]  # images [B, C, H, W] to class scores [B, classes]

OURS, OURS_FLOAT32 = "nc64c", "nc64c-float32"
LIBRARIES = {"snntorch": "snntorch", "spikingjelly": "spikingjelly.activation_based.neuron"}


def measure(
    names: Sequence[str], config: NetworkConfig, batch: int, steps: int, seed: int = 1
) -> dict[str, dict[str, float]]:
    """Images per second of training steps (forward, loss, backward, AdamW) on random images.

    The libraries take turns, step by step, so that whatever else the machine does meets them all.

    Args:
        names: "nc64c", "nc64c-float32", "snntorch", "spikingjelly".
        config: the network, direct-encoded.
        batch: images per step.
        steps: how many are timed of each, after two that are not (the first may compile).
        seed: of weights and images.

    Returns:
        For each name median and best: images per second of the median and of the fastest step.

    Raises:
        InputError: a library is unknown or not installed.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(batch, *config.input_shape, generator=generator)
    labels = torch.randint(len(config.classes), (batch,), generator=generator)
    contestants = {name: _contestant(name, config) for name in names}
    optimisers = {
        name: torch.optim.AdamW(model.parameters()) for name, (model, _) in contestants.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(steps + 2):
        for name, (_, scores) in contestants.items():
            start = perf_counter()
            optimisers[name].zero_grad()
            torch.autograd.backward(F.cross_entropy(scores(images), labels))
            optimisers[name].step()
            seconds[name].append(perf_counter() - start)
    timed = {name: np.array(times[2:]) for name, times in seconds.items()}
    return {
        name: {"median": batch / float(np.median(times)), "best": batch / float(times.min())}
        for name, times in timed.items()
    }


def _contestant(name: str, config: NetworkConfig) -> tuple[nn.Module, Scores]:
    check_choice("unknown library", name, (OURS, OURS_FLOAT32, *LIBRARIES))
    if name in (OURS, OURS_FLOAT32):
        return _ours(config, bfloat16=name == OURS)
    return _rival(name, config)


def _ours(config: NetworkConfig, *, bfloat16: bool) -> tuple[nn.Module, Scores]:
    network = SpikingNetwork(config)
    network.reset(1)
    network.compiled = True
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def scores(images: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            return network(images).float()  # type: ignore[no-any-return]

    return network, scores


def _rival(name: str, config: NetworkConfig) -> tuple[nn.Module, Scores]:
    try:
        module = importlib.import_module(LIBRARIES[name])
    except ImportError as error:
        raise InputError(
            f"{name} cannot be imported ({error}): install it, or leave it out of the comparison"
        ) from error
    return _snntorch(module, config) if name == "snntorch" else _spikingjelly(module, config)


def _layers(
    config: NetworkConfig, neuron: Callable[[float], Any]
) -> tuple[nn.Sequential, nn.Module]:
    """The hidden layers, for one step, and the output layer."""
    parts: list[nn.Module] = []
    shape = config.input_shape
    flat = False
    for spec in config.layers:
        geometry = spec.geometry
        if geometry is not None:
            window = geometry.kernel, geometry.stride, geometry.padding
            parts.append(nn.Conv2d(shape[0], spec.features, *window, bias=False))
            parts += [nn.BatchNorm2d(spec.features), neuron(config.theta_conv)]
        else:
            parts += [] if flat else [nn.Flatten()]
            parts.append(nn.Linear(math.prod(shape), spec.features, bias=False))
            parts += [nn.BatchNorm1d(spec.features), neuron(config.theta_fc)]
            flat = True
        shape = output_shape(geometry, spec.features, shape)
        if spec.pool:
            parts.append(nn.MaxPool2d(POOLING.kernel, POOLING.stride))
            shape = pooled_shape(shape)
    output = nn.Linear(math.prod(shape), len(config.classes))
    return nn.Sequential(*parts), output if flat else nn.Sequential(nn.Flatten(), output)


def _snntorch(snntorch: Any, config: NetworkConfig) -> tuple[nn.Module, Scores]:
    """Its neurons keep their membranes from step to step themselves (init_hidden)."""
    hidden, output = _layers(
        config,
        lambda theta: snntorch.Leaky(
            config.leak, threshold=theta, reset_mechanism="zero", init_hidden=True
        ),
    )

    def scores(images: Tensor) -> Tensor:
        for part in hidden:
            if isinstance(part, snntorch.Leaky):
                part.reset_mem()
        steps = [output(hidden(images)) for _ in range(config.timesteps)]
        return torch.stack(steps).mean(0)

    return nn.Sequential(hidden, output), scores


def _spikingjelly(neuron: Any, config: NetworkConfig) -> tuple[nn.Module, Scores]:
    """Steps and batch run through the layers as one batch; its neurons take them apart."""
    tau = 1 / (1 - config.leak)
    hidden, output = _layers(
        config,
        lambda theta: neuron.LIFNode(
            tau=tau, decay_input=False, v_threshold=theta, v_reset=0.0, step_mode="m"
        ),
    )

    def scores(images: Tensor) -> Tensor:
        inputs = images.expand(config.timesteps, *images.shape).flatten(0, 1)
        for part in hidden:
            if isinstance(part, neuron.LIFNode):
                part.reset()
                shape = inputs.shape
                inputs = part(inputs.reshape(config.timesteps, -1, *shape[1:])).reshape(shape)
            else:
                inputs = part(inputs)
        steps: Tensor = output(inputs)
        return steps.reshape(config.timesteps, len(images), -1).mean(0)

    return nn.Sequential(hidden, output), scores
