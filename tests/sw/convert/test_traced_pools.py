"""Maximum pools of any window in models of snnTorch: layers of their own, which fire as they do."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from hw.spec import FULL_CHIP
from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.traced.model import import_torch
from sw.data.user.inputs import UserInputs
from tests.support.spiking import STEPS, images, snntorch

WINDOWS: list[dict[str, Any]] = [
    {"kernel_size": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "stride": (1, 2)},
    {"kernel_size": 3, "stride": 1, "padding": 1},
]


class Pooled(nn.Module):
    """A convolution, its pool, and dense neurons: [n, 1, 8, 8] to spikes [T, n, 4]."""

    def __init__(self, **window: Any) -> None:
        super().__init__()
        torch.manual_seed(3)
        snn = snntorch()
        self.first = nn.Conv2d(1, 3, 3, padding=1)
        self.lif1 = snn.Leaky(beta=0.5, threshold=0.3, reset_mechanism="zero")
        self.pool = nn.MaxPool2d(**window)
        pixels = self.pool(torch.zeros(1, 3, 8, 8)).numel()
        self.fc = nn.Linear(pixels, 4)
        self.lif2 = snn.Leaky(beta=1.0, threshold=0.2)

    def forward(self, pixels: Tensor) -> Tensor:
        v1, v2 = self.lif1.reset_mem(), self.lif2.reset_mem()
        fired = []
        for _ in range(STEPS):
            spikes, v1 = self.lif1(self.first(pixels), v1)
            spikes, v2 = self.lif2(self.fc(self.pool(spikes).flatten(1)), v2)
            fired.append(spikes)
        return torch.stack(fired)


@pytest.mark.parametrize("window", WINDOWS)
def test_every_spike_through_the_golden_model(window: dict[str, Any]) -> None:
    pixels, labels = images("test", 20)
    found = import_torch(Pooled(**window), pixels, Decisions(STEPS, bits=7))
    assert found.document["checked"]["different"] == 0
    assert found.document["checked"]["spikes"] > 100
    conv, pool, *_ = found.network.layers
    assert pool.sources == (conv.name,)
    assert not conv.pool
    values = (pixels * 255).round().numpy().astype("uint8")
    given = {"in": UserInputs(values[:4], False, labels.numpy()[:4])}
    done = run_own(found.network, choose_mapping(found.network, FULL_CHIP), given, None)
    assert done.equal


@pytest.mark.parametrize("more", [{"dilation": 2}, {"ceil_mode": True}])
def test_other_pools_are_refused(more: dict[str, Any]) -> None:
    pixels, _ = images("test", 4)
    with pytest.raises(InputError, match="maximum pooling with dilation or ceil_mode"):
        import_torch(Pooled(kernel_size=2, **more), pixels, Decisions(STEPS))
