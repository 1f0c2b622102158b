"""Random descriptions of layers, and networks of them with numbers as a training might leave."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sw.model.architectures import DIGITS
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train.description import described

WAYS = (
    "pointwise = true",
    "kernel = 5",
    "kernel = 3\ndilation = 2",
    "kernel = 2\npadding = 0",
    "depthwise = true",
    "groups = 2",
    "kernel = 1\nstride = 2",
    "pool = 3\npool_stride = 2\npool_padding = 1",
)


def random_description(seed: int, *, subtract: bool = False) -> str:
    """TOML of five to seven layers: of all kinds, with shortcuts and recurrent ones."""
    draw = np.random.default_rng(seed)
    end = "subtract" if subtract else "zero"
    tables = ['[[layer]]\nkind = "conv"\nname = "stem"\nfeatures = 4']
    way = WAYS[seed % len(WAYS)]
    extra = "\npool = true" if draw.random() < 0.3 and "padding = 0" not in way else ""
    if "stride" in way or "pool" in way:
        extra = ""
    tables.append(f'[[layer]]\nkind = "conv"\nname = "middle"\nfeatures = 4\n{way}{extra}')
    recurrent = "\nrecurrent = true" if draw.random() < 0.5 else ""
    tables.append(
        f'[[layer]]\nkind = "conv"\nname = "back"\nfeatures = 4\nreset = "{end}"{recurrent}'
    )
    kind = draw.choice(["add", "inputs"])
    tables.append(
        f'[[layer]]\nkind = "conv"\nname = "joined"\nfeatures = 3\n{kind} = ["middle", "back"]'
        '\nstride = 2\nshortcut = ["middle"]\ntheta = 0.3'
    )
    neuron = draw.choice(['neuron = "if"', "leak = 0.75"])
    tables.append(
        f'[[layer]]\nkind = "fc"\nname = "memory"\nfeatures = 12\n{neuron}\nreset = "{end}"'
        '\nrecurrent = true\nshortcut = ["middle"]'
    )
    return 'name = "drawn"\n\n' + "\n\n".join(tables) + "\n"


def random_config(seed: int, folder: Path, *, subtract: bool = False) -> NetworkConfig:
    """The same as a configuration for the digits."""
    path = folder / f"{seed}.toml"
    path.write_text(random_description(seed, subtract=subtract))
    return described(path, replace(DIGITS, weight_bits=4))


def with_numbers(
    config: NetworkConfig, seed: int, bias: tuple[float, float] = (0.1, 0.2)
) -> SpikingNetwork:
    """A quantised network in float64 with batch norm as training might leave it.

    Gains have both signs; `bias` is mean and deviation of biases that are not batch norm's.
    """
    network = SpikingNetwork(config, config.weight_bits)
    network.reset(seed)
    generator = torch.Generator().manual_seed(seed)
    for layer in network.chain:
        if layer.norm is None:
            assert layer.bias is not None
            torch.nn.init.normal_(layer.bias, *bias, generator=generator)
            continue
        assert layer.norm.running_mean is not None
        assert layer.norm.running_var is not None
        torch.nn.init.normal_(layer.norm.weight, 0, 0.7, generator=generator)
        torch.nn.init.normal_(layer.norm.bias, 0.1, 0.2, generator=generator)
        torch.nn.init.normal_(layer.norm.running_mean, 0, 0.2, generator=generator)
        torch.nn.init.uniform_(layer.norm.running_var, 0.1, 0.6, generator=generator)
    return network.double().eval()
