"""The LIF neuron against plain loops, its gradient against autograd on plain operations."""

from functools import partial

import pytest
import torch
from torch import Tensor

from sw.model.lif import lif, stepped, surrogate


def test_eq_2_by_hand() -> None:
    u = torch.tensor([-0.1, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0], dtype=torch.float64)
    assert torch.allclose(surrogate(u, 0.4), expected, atol=1e-12)


def test_spikes_by_hand() -> None:
    # 0.3; 0.15 + 0.3 = 0.45 fires; 0.3 again from 0; 0.45 fires
    drive = torch.full((4, 1), 0.3, dtype=torch.float64)
    assert lif(drive, 0.4, 0.5).flatten().tolist() == [0, 1, 0, 1]


def test_fires_at_exactly_theta() -> None:
    assert lif(torch.tensor([[0.5], [0.49]]), 0.5, 0.5).flatten().tolist() == [1, 0]


@pytest.mark.parametrize("leak", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_against_a_loop(seed: int, leak: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    drive = torch.randn(7, 5, 3, generator=generator, dtype=torch.float64)
    spikes = lif(drive, 0.4, leak)
    for image in range(5):
        for neuron in range(3):
            v = 0.0
            for step in range(7):
                v = leak * v + drive[step, image, neuron].item()
                fired = v >= 0.4
                assert spikes[step, image, neuron].item() == fired
                v = 0.0 if fired else v


def _soft(u: Tensor, theta: float) -> Tensor:
    """A function whose derivative is Eq. 2, by calculus: two parabolas between 0 and 2 theta."""
    r = (u / theta).clamp(0, 2)
    return theta * torch.where(r < 1, r**2 / 2, 1 - (2 - r) ** 2 / 2)


def _unrolled(drive: Tensor, theta: float, leak: float) -> Tensor:
    v, spikes = torch.zeros_like(drive[0]), []
    for added in drive:
        u = leak * v + added
        soft = _soft(u, theta)
        spike = (u >= theta).double() + soft - soft.detach()
        v = u * (1 - spike.detach())
        spikes.append(spike)
    return torch.stack(spikes)


@pytest.mark.parametrize("leak", [0.5, 0.75, 1.0])
@pytest.mark.parametrize("theta", [0.4, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_gradient_against_autograd_on_the_unrolled_steps(
    seed: int, theta: float, leak: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = 0.6 * torch.randn(6, 4, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(6, 4, 5, generator=generator, dtype=torch.float64)
    drive = values.requires_grad_()
    (ours,) = torch.autograd.grad((lif(drive, theta, leak) * weight).sum(), drive)
    (plain,) = torch.autograd.grad((_unrolled(drive, theta, leak) * weight).sum(), drive)
    assert ours.abs().max() > 0.1
    assert torch.allclose(ours, plain, rtol=1e-12, atol=1e-12)


def test_thresholds_that_are_higher_for_some_steps() -> None:
    """A step that takes 0.2 more is one with 0.2 less, but for what stays in the membrane."""
    drive = torch.full((4, 1), 0.3, dtype=torch.float64)
    above = torch.tensor([[0.0], [0.2], [0.0], [0.1]], dtype=torch.float64)
    # 0.3; 0.45 is below 0.6; 0.525 fires; 0.3 from 0
    assert lif(drive, 0.4, 0.5, above=above).flatten().tolist() == [0, 0, 1, 0]
    assert stepped(drive, 0.4, 0.5, "zero", above=above).flatten().tolist() == [0, 0, 1, 0]


def test_a_surrogate_is_told_how_far_it_is_to_the_higher_threshold() -> None:
    generator = torch.Generator().manual_seed(1)
    drive, above = torch.randn(2, 5, 6, 3, generator=generator, dtype=torch.float64)
    gradients, told = [], []

    def slope(u: Tensor, theta: float) -> Tensor:
        told.append(u)
        return surrogate(u, theta)

    for fire in (lif, partial(stepped, reset="zero")):
        given = drive.clone().requires_grad_()
        spikes = fire(given, 0.4, 0.5, slope=slope, above=above)
        gradients += torch.autograd.grad(spikes.sum(), given)
    torch.testing.assert_close(told[0], told[1])
    torch.testing.assert_close(told[0][0], drive[0] - above[0])
    torch.testing.assert_close(*gradients)
    assert bool(gradients[0].any())


def test_gradient_of_a_drive_that_is_the_same_every_step() -> None:
    generator = torch.Generator().manual_seed(9)
    once = torch.randn(1, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    (short,) = torch.autograd.grad(lif(once.expand(4, -1), 0.4, 0.5).sum(), once)
    (long,) = torch.autograd.grad(_unrolled(once.repeat(4, 1), 0.4, 0.5).sum(), once)
    assert torch.allclose(short, long, rtol=1e-12)


@pytest.mark.parametrize("theta", [0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("leak", [0.5, 0.75, 1.0])
def test_it_is_the_neuron_of_snntorch(theta: float, leak: float) -> None:
    snntorch = pytest.importorskip("snntorch", reason="snntorch is in the extra dev")
    drive = torch.randn(12, 60, 50, generator=torch.Generator().manual_seed(3))
    neuron = snntorch.Leaky(leak, threshold=theta, reset_mechanism="zero", reset_delay=False)
    membrane, expected = neuron.reset_mem(), []
    for added in drive:
        spikes, membrane = neuron(added, membrane)
        expected.append(spikes)
    assert 0.05 < torch.stack(expected).mean() < 0.6
    assert torch.equal(lif(drive, theta, leak), torch.stack(expected))
