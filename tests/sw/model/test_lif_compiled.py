"""The compiled neuron against the plain one: spikes and gradients, in every order in memory."""

import pytest
import torch
from torch import Tensor

from sw.model import lif_compiled
from sw.model.lif import lif

pytestmark = pytest.mark.slow

SHAPE = (3, 4, 6, 6)


def _drive(steps: int, channels_last: bool) -> Tensor:
    """Multiples of 1/8: with theta and leak of powers of two nothing is rounded."""
    generator = torch.Generator().manual_seed(5)
    drive = torch.randint(-8, 16, (steps * SHAPE[0], *SHAPE[1:]), generator=generator) / 8
    if channels_last:
        drive = drive.contiguous(memory_format=torch.channels_last)
    return drive.reshape(steps, *SHAPE)


@pytest.fixture(params=[True, False], ids=["compiled", "as it stands"])
def _compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(lif_compiled, "_kernel", lambda function, _: function)
    elif not lif_compiled.can_compile():
        pytest.skip("no C++ compiler on this machine")


@pytest.mark.usefixtures("_compiler")
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("steps", [1, 4])
def test_it_is_the_plain_neuron(channels_last: bool, steps: int) -> None:
    drive = _drive(steps, channels_last)
    weights = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(6)).round(decimals=2)
    results = []
    for compiled in (True, False):
        leaf = drive.clone().requires_grad_()
        if compiled:
            spikes = lif_compiled.lif(leaf, 4, 0.5, 0.5)
        else:
            spikes = lif(leaf.expand(4, *SHAPE), 0.5, 0.5)
        torch.autograd.backward((spikes * weights).sum())
        assert leaf.grad is not None
        results.append((spikes.detach(), leaf.grad))
    (spikes, gradient), (plain_spikes, plain_gradient) = results
    assert 0.1 < plain_spikes.mean() < 0.9
    assert torch.equal(spikes, plain_spikes)
    assert torch.allclose(gradient, plain_gradient, rtol=1e-6, atol=1e-7)
    assert plain_gradient.count_nonzero() > 100


@pytest.mark.usefixtures("_compiler")
def test_membranes_are_float32_in_bfloat16_too() -> None:
    drive = _drive(4, channels_last=True).bfloat16()
    spikes = lif_compiled.lif(drive, 4, 0.3, 0.7)
    assert spikes.dtype == torch.bfloat16
    assert torch.equal(spikes.float(), lif(drive.float(), 0.3, 0.7))


def test_without_a_compiler_it_warns_once_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    lif_compiled.can_compile.cache_clear()
    lif_compiled._kernel.cache_clear()
    monkeypatch.setattr(torch, "compile", broken)
    try:
        with pytest.warns(UserWarning, match=r"no C\+\+ compiler that works \(RuntimeError\)"):
            spikes = lif_compiled.lif(_drive(4, channels_last=False), 4, 0.5, 0.5)
        assert torch.equal(spikes, lif(_drive(4, channels_last=False), 0.5, 0.5))
    finally:
        lif_compiled.can_compile.cache_clear()
        lif_compiled._kernel.cache_clear()
