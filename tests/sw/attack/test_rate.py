"""Gradients through the rate: slopes by hand, what they make of a network, what has none."""

import dataclasses
import itertools
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sw.attack.gradient.rate import by_approximated_rate, by_rate
from sw.attack.gradient.sight import Sight, by_pixels
from sw.attack.gradient.way import Way
from sw.common.errors import InputError
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding, Inputs
from sw.model.config.layer import Branch, LayerSpec
from sw.model.network import Neurons, SpikingNetwork

NEURONS = Neurons("fc1", 0.4, 0.5, "zero", None)


def slope_of(rule: Callable[[Neurons, Tensor], Tensor], drive: Tensor) -> Tensor:
    """What one unit of gradient at every step's spike becomes, step by step."""
    given = drive.clone().requires_grad_()
    (found,) = torch.autograd.grad(rule(NEURONS, given).sum(), given)
    return found


def test_bptr_passes_what_fires() -> None:
    """Drives of one threshold fire at once, of 0.15 late (0.15 (1 + 1/2 + ..) < 0.4) or never."""
    drive = torch.tensor([0.4, 0.35, 0.15, -1.0, 5.0]).expand(4, 5)
    spikes = NEURONS.fire(drive)
    assert spikes.sum(0).tolist() == [4, 2, 0, 0, 4]
    assert torch.equal(by_rate(NEURONS, drive), spikes)
    assert torch.equal(slope_of(by_rate, drive), torch.tensor([1.0, 1, 0, 0, 1]).expand(4, 5))


def test_rga_is_a_line_in_two_pieces() -> None:
    """In thresholds: 0.2 x up to 1 - leak, then to 1 at 2, and flat outside."""
    in_thresholds = torch.linspace(-0.5, 2.5, 61, dtype=torch.float64)
    knots = [(0.0, 0.0), (0.5, 0.1), (2.0, 1.0)]

    def rate(x: float) -> float:
        for (x0, y0), (x1, y1) in itertools.pairwise(knots):
            if x0 <= x <= x1:
                return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        return 0.0 if x < 0 else 1.0

    found = slope_of(by_approximated_rate, (0.4 * in_thresholds).expand(4, -1))
    step = 1e-6
    for x, slope in zip(in_thresholds.tolist(), found[0].tolist(), strict=True):
        if min(abs(x - knot) for knot, _ in knots) > 0.01:
            expected = (rate(x + step) - rate(x - step)) / (2 * step) / 0.4
            assert slope == pytest.approx(expected, abs=1e-6), x
    assert torch.equal(found, found[:1].expand(4, -1))


def test_rga_is_of_the_mean_drive() -> None:
    drive = torch.tensor([[0.0], [0.0], [0.0], [1.6]])  # 1 threshold on average
    assert slope_of(by_approximated_rate, drive).flatten().tolist() == pytest.approx([1.5] * 4)


def _network(encoding: Encoding = "direct") -> SpikingNetwork:
    config = dataclasses.replace(
        DIGITS, layers=(LayerSpec("conv", 6), LayerSpec("fc", 12)), encoding=encoding
    )
    network = SpikingNetwork(config)
    network.reset(2)
    return network.double().eval()


def test_bptr_of_a_network_is_that_of_its_silhouette() -> None:
    """As of a network of rectifiers, whose every unit passes where its neuron fired at all."""
    network = _network()
    generator = torch.Generator().manual_seed(4)
    pixels = (torch.randint(256, (3, 1, 8, 8), generator=generator) / 255).double()
    labels = torch.tensor([1, 5, 7])
    found = by_pixels(network, pixels, labels, Way("rate"))

    trace = network.trace(pixels)
    fired = {name: (each.mean(0) > 0).double() for name, each in trace.spikes.items()}
    assert 0 < fired["conv1"].mean() < 1
    conv, full, last = network.chain
    given = pixels.clone().requires_grad_()
    drive = conv(given * 255, None)
    rate = trace.spikes["conv1"].mean(0) + (drive - drive.detach()) * fired["conv1"]
    drive = full(rate, None)
    rate = trace.spikes["fc1"].mean(0) + (drive - drive.detach()) * fired["fc1"]
    scores = last(rate, None).flatten(1)
    torch.testing.assert_close(scores.detach(), trace.scores.detach())
    (expected,) = torch.autograd.grad(F.cross_entropy(scores, labels, reduction="sum"), given)
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("through", ["rate", "rga"])
@pytest.mark.parametrize("encoding", ["rate", "latency"])
def test_encodings_without_a_gradient_have_one_by_the_rate(
    through: str, encoding: Encoding
) -> None:
    network = _network(encoding)
    generator = torch.Generator().manual_seed(4)
    pixels = (torch.randint(128, 256, (2, 1, 8, 8), generator=generator) / 255).double()
    found = by_pixels(network, pixels, torch.tensor([1, 2]), Way(through))  # type: ignore[arg-type]
    assert found.count_nonzero() > 20


@pytest.mark.parametrize("through", ["rate", "rga"])
def test_a_layer_that_takes_its_own_spikes_is_refused(through: str) -> None:
    layers = (LayerSpec("conv", 2), LayerSpec("fc", 4, branches=(Branch("fc1"),)))
    network = SpikingNetwork(dataclasses.replace(DIGITS, layers=layers))
    network.reset(0)
    with pytest.raises(InputError, match="fc1 takes its own spikes"):
        by_pixels(
            network,
            torch.rand(1, 1, 8, 8),
            torch.tensor([1]),
            Way(through),  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("encoding", ["direct", "rate", "phase"])
def test_rga_in_more_steps_is_that_of_a_network_of_more_steps(encoding: Encoding) -> None:
    """But for the answers, which are those of the network as it is."""
    network = _network(encoding)
    longer = SpikingNetwork(dataclasses.replace(network.config, timesteps=12))
    longer.load_state_dict(network.state_dict())
    generator = torch.Generator().manual_seed(4)
    pixels = (torch.randint(256, (3, 1, 8, 8), generator=generator) / 255).double()
    labels = torch.tensor([1, 5, 7])
    short = Sight(Way("rga")).look(network, pixels, labels)
    found = Sight(Way("rga", times=3)).look(network, pixels, labels)
    assert torch.equal(found.scores, short.scores)
    assert torch.equal(found.losses, short.losses)
    assert not torch.equal(found.gradient, short.gradient)
    expected = Sight(Way("rga")).look(longer.double().eval(), pixels, labels)
    assert torch.equal(found.gradient, expected.gradient)
    assert network.timesteps == 4


@pytest.mark.parametrize(
    ("encoding", "what"),
    [("latency", "latency encoding"), ("spikes", "spikes"), ("phase_spikes", "spikes")],
)
def test_inputs_that_end_have_no_more_steps(encoding: Inputs, what: str) -> None:
    network = SpikingNetwork(dataclasses.replace(DIGITS, encoding=encoding))
    network.reset(0)
    with pytest.raises(InputError, match=f"digits: {what} that came in steps"):
        by_pixels(network, torch.rand(1, 1, 8, 8), torch.tensor([1]), Way("rga", times=2))


def test_only_rga_is_found_in_more_steps() -> None:
    with pytest.raises(InputError, match="gradient rate: only rga runs a network for longer"):
        Way("rate", times=2)
