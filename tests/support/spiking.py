"""Small spiking networks of snnTorch and SpikingJelly, trained on the digits in seconds."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sw.data import digits

STEPS = 6
SEED = 11


def snntorch() -> Any:
    return pytest.importorskip("snntorch", reason="needs pip install snntorch")


def spikingjelly() -> Any:
    """Its neurons and layers; it needs no torchvision for these."""
    reason = "needs pip install loguru and pip install --no-deps spikingjelly"
    names = "neuron", "layer", "functional"
    where = "spikingjelly.activation_based"
    return SimpleNamespace(
        **{name: pytest.importorskip(f"{where}.{name}", reason=reason) for name in names}
    )


class SnnTorchNet(nn.Module):
    """Loops over its steps, with states of its own: [n, 1, 8, 8] to spikes [T, n, 10]."""

    def __init__(self, convolution: bool, beta: float = 0.75, reset: str = "zero") -> None:
        super().__init__()
        snn = snntorch()
        self.first: nn.Module
        if convolution:
            self.first = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6))
        else:
            self.first = nn.Sequential(nn.Flatten(), nn.Linear(64, 32))
        self.convolution = convolution
        self.lif1 = snn.Leaky(beta=beta, reset_mechanism=reset)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(6 * 4 * 4 if convolution else 32, 10)
        self.lif2 = snn.Leaky(beta=1.0, threshold=1.5)

    def forward(self, images: Tensor) -> Tensor:
        v1, v2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        fired = []
        for _ in range(STEPS):
            spikes, v1 = self.lif1(self.first(images), v1)
            if self.convolution:
                spikes = F.max_pool2d(spikes, 2).flatten(1)
            spikes, v2 = self.lif2(self.fc(self.drop(spikes)), v2)
            fired.append(spikes)
        return torch.stack(fired)


def spikingjelly_net(convolution: bool, multi_step: bool = False) -> nn.Module:
    """A step a call, or all in one: [n, 1, 8, 8] to spikes [n, 10], or with T before."""
    parts = spikingjelly()
    layer, neuron = parts.layer, parts.neuron
    if convolution:
        first = [
            layer.Conv2d(1, 6, 3, padding=1, bias=False),
            layer.BatchNorm2d(6),
            neuron.IFNode(),
            layer.MaxPool2d(2, 2),
            layer.Flatten(),
            layer.Linear(6 * 4 * 4, 10),
        ]
    else:
        first = [
            layer.Flatten(),
            layer.Linear(64, 32),
            neuron.LIFNode(tau=2.0, decay_input=False, v_reset=None),
            layer.Dropout(0.1),
            layer.Linear(32, 10),
        ]
    net = nn.Sequential(*first, neuron.LIFNode(tau=4.0, decay_input=True, v_reset=-0.25))
    if multi_step:
        parts.functional.set_step_mode(net, "m")
    return net


def counted(model: nn.Module, images: Tensor) -> Tensor:
    """Spikes of the output [n, 10], summed over the steps, whichever kind of model it is."""
    if isinstance(model, SnnTorchNet):
        total: Tensor = model(images).sum(0)
        return total
    functional = spikingjelly().functional
    functional.reset_net(model)
    if getattr(model[-1], "step_mode", "s") == "m":  # type: ignore[index]
        many: Tensor = model(images.expand(STEPS, *images.shape)).sum(0)
        return many
    return torch.stack([model(images) for _ in range(STEPS)]).sum(0)


def images(split: Any, count: int) -> tuple[Tensor, Tensor]:
    """Digits [n, 1, 8, 8] of 0 to 1, and their labels."""
    data = digits.load(split).take(slice(count))
    return torch.from_numpy(data.images) / 255, torch.from_numpy(data.labels)


def trained(make: Callable[[], nn.Module], epochs: int = 6) -> nn.Module:
    """A model after some epochs on 600 digits, with its states cleared."""
    torch.manual_seed(SEED)
    model = make()
    pixels, labels = images("train", 600)
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(pixels)).reshape(-1, 50):
            loss = F.cross_entropy(counted(model, pixels[chosen]), labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    model.eval()
    with torch.no_grad():
        counted(model, pixels[:1])
    return model
