"""Surrogates of the attacker: each formula by another way, and never another spike."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sw.attack.gradient.sight import Sight, by_pixels
from sw.attack.gradient.surrogates import SURROGATES
from sw.attack.gradient.surrogates.assg import Assg
from sw.attack.gradient.surrogates.pdsg import Pdsg
from sw.attack.gradient.way import Way, way
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.model.config.layer import Branch, LayerSpec
from sw.model.network import NetworkTrace, SpikingNetwork, as_input
from sw.train.checkpoint import Checkpoint

THETA = 0.7
WAYS = {
    **{name: Way(surrogate=name) for name in SURROGATES},
    "rate": Way("rate"),
    "rga": Way("rga"),
    "draws": Way(draws=2),
}


def membranes(seed: int = 1) -> Tensor:
    """Of four steps, three images, two channels of 5 x 5."""
    generator = torch.Generator().manual_seed(seed)
    return 1.5 * torch.randn(4, 3, 2, 5, 5, generator=generator, dtype=torch.float64)


def slopes(name: str, width: float) -> Tensor:
    return SURROGATES[name].make(width)("conv1", membranes(), THETA)


@pytest.mark.parametrize("width", [0.3, 1.0, 4.0])
def test_fixed_ones_are_the_derivatives_of_what_they_stand_for(width: float) -> None:
    """Of functions that rise from 0 to 1; the rectangle and the triangle by hand."""
    x = (membranes() / THETA - 1).requires_grad_()
    rising = {
        "arctan": torch.atan(math.pi / 2 * x / width) / math.pi + 0.5,
        "sigmoid": 1 / (1 + torch.exp(-x / width)),
        "rectangle": ((x / width).clamp(-1, 1) + 1) / 2,
    }
    for name, function in rising.items():
        (expected,) = torch.autograd.grad(function.sum(), x, retain_graph=True)
        torch.testing.assert_close(slopes(name, width), expected, rtol=1e-9, atol=1e-12)
    triangle = np.maximum(0, 1 - np.abs(membranes().numpy() / THETA - 1) / width)
    assert np.array_equal(slopes("paper", width).numpy(), triangle)


def test_assg_by_hand() -> None:
    """Three looks at one neuron: the means move once a look, however often they are asked for."""
    assg, mean, deviation = Assg(0.4), 1.0, 0.0
    for u in (0.9, 0.2, 1.4):
        assg.step()
        x = u - THETA
        mean = 0.9 * mean + 0.1 * abs(x)
        deviation = 0.9 * deviation + 0.1 * abs(abs(x) - mean)
        alpha = 2 / math.pi * math.tan(0.4 * math.pi) / (mean + 1.5 * deviation + 1e-4)
        expected = alpha / 2 / (1 + (math.pi * alpha * x / 2) ** 2)
        one = torch.full((1, 1, 1, 1, 1), u, dtype=torch.float64)
        assert assg("fc1", one, THETA).item() == pytest.approx(expected, rel=1e-9)
        assert assg("fc1", one, THETA).item() == pytest.approx(expected, rel=1e-9)


def test_assg_remembers_each_layer_by_itself() -> None:
    alone, both = Assg(0.4), Assg(0.4)
    both("conv1", membranes(2), THETA)
    assert torch.equal(alone("fc1", membranes(), THETA), both("fc1", membranes(), THETA))


@pytest.mark.parametrize("flat", [False, True])
def test_pdsg_by_hand(flat: bool) -> None:
    """The spread of a channel's places, or of a layer's neurons, in all steps so far."""
    u = membranes().reshape(4, 3, 50, 1, 1) if flat else membranes()
    found = Pdsg()("conv1", u, THETA).numpy()
    for step, image, channel in np.ndindex(4, 3, 2):
        seen = u[: step + 1, image] if flat else u[: step + 1, image, channel]
        spread = np.std(seen.numpy(), ddof=1)
        x = u[step, image, channel].numpy() - THETA
        bell = np.exp(-((x - spread / 2) ** 2) / (2 * spread**2)) / math.sqrt(2 * math.pi) / spread
        np.testing.assert_allclose(found[step, image, channel], bell, rtol=1e-9)


def test_pdsg_of_neurons_without_a_spread_is_a_bell_of_width_1() -> None:
    still = torch.full((2, 1, 3, 1, 1), THETA, dtype=torch.float64)
    expected = math.exp(-(0.5**2) / 2) / math.sqrt(2 * math.pi)
    assert Pdsg()("fc1", still, THETA).numpy() == pytest.approx(expected)
    alone = torch.full((1, 1, 1, 1, 1), THETA)
    assert Pdsg()("fc1", alone, THETA).item() == pytest.approx(expected)


def test_the_surrogate_of_the_training_is_eq_2_to_the_bit(
    committed: Checkpoint, held_out: Dataset
) -> None:
    pixels, labels = as_input(held_out.images[:20]), torch.from_numpy(held_out.labels[:20])
    network = committed.quantised_network
    usual = by_pixels(network, pixels, labels)
    assert torch.equal(usual, by_pixels(network, pixels, labels, Way(width=1.0)))
    others = [each for name, each in WAYS.items() if name not in ("paper", "draws")]
    for other in others:
        assert not torch.equal(usual, by_pixels(network, pixels, labels, other)), other


CASES = [
    (kind, name)
    for kind in ("trained", "recurrent", "subtract")
    for name in WAYS
    if kind != "recurrent" or name not in ("rate", "rga")  # not defined, and refused
]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_spikes_are_the_same_to_the_bit_whatever_the_way(
    committed: Checkpoint, held_out: Dataset, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = committed.quantised_network if kind == "trained" else _other(kind)
    pixels, labels = as_input(held_out.images[:8]), torch.from_numpy(held_out.labels[:8])
    with torch.no_grad():
        expected = network.trace(pixels)
    traces: list[NetworkTrace] = []
    once = SpikingNetwork.trace

    def keeping(self: SpikingNetwork, images: Tensor) -> NetworkTrace:
        traces.append(once(self, images))
        return traces[-1]

    monkeypatch.setattr(SpikingNetwork, "trace", keeping)
    sight = Sight(WAYS[name])
    for _ in range(2):
        sight.look(network, pixels, labels)
    assert len(traces) == (4 if name == "draws" else 2)
    for trace in traces:
        assert torch.equal(trace.scores, expected.scores)
        assert all(torch.equal(trace.spikes[each], expected.spikes[each]) for each in trace.spikes)
    assert network.fire is None


def _other(kind: str) -> SpikingNetwork:
    layers = [LayerSpec("conv", 4, pool=True), LayerSpec("fc", 8)]
    if kind == "subtract":
        layers[0] = dataclasses.replace(layers[0], reset="subtract")
    else:
        layers[1] = dataclasses.replace(layers[1], branches=(Branch("fc1"),))
    network = SpikingNetwork(dataclasses.replace(DIGITS, layers=tuple(layers), theta_fc=0.3), 4)
    network.reset(1)
    return network.eval()


@pytest.mark.parametrize("kind", ["recurrent", "subtract"])
def test_steps_that_are_taken_one_by_one_have_the_same_surrogate(kind: str) -> None:
    """Eq. 2 given as the attacker's own, and Eq. 2 as trained."""
    network = _other(kind)
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randint(256, (4, 1, 8, 8), generator=generator) / 255
    labels = torch.arange(4)
    usual = by_pixels(network, pixels, labels)
    assert usual.count_nonzero() > 20
    assert torch.equal(usual, by_pixels(network, pixels, labels, Way(width=1.0)))
    assert not torch.equal(usual, by_pixels(network, pixels, labels, Way(surrogate="pdsg")))


@pytest.mark.parametrize(
    ("gradient", "surrogate", "words"),
    [
        ("time", "atan", "unknown surrogate 'atan': must be one of paper, arctan,"),
        ("time", "arctan:wide", "its width is 'wide', must be a number"),
        ("time", "arctan:", "its width is '', must be a number"),
        ("time", "arctan:0", "its width is 0, must be above 0"),
        ("time", "arctan:nan", "its width is nan, must be above 0"),
        ("time", "arctan:1e7", "must be above 0 and below 1e+06"),
        ("time", "assg:0.5", "its width is 0.5, must be above 0 and below 0.5"),
        ("time", "pdsg:1", "takes no width"),
        ("rate", "assg", "a gradient through the rate has none"),
        ("spikes", "paper", "unknown gradient 'spikes': must be one of time, rate, rga, paper"),
        ("rga:4", "assg", "a gradient through the rate has none"),
        ("rga:", "paper", "gradient rga: '' is how many times the network's steps it takes"),
        ("rga:-2", "paper", "gradient rga: '-2' is how many times"),
        ("rga:0", "paper", "times the network's steps: is 0, must be an integer from 1 to 100"),
        ("rga:101", "paper", "times the network's steps: is 101, must be"),
        ("rate:4", "paper", "unknown gradient 'rate:4': must be one of time, rate, rga, paper"),
        ("time:", "paper", "unknown gradient 'time:': must be one of"),
    ],
)
def test_what_there_is_not_is_refused(gradient: str, surrogate: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        way(gradient, surrogate)
    assert words in str(error.value)


def test_what_is_written_is_meant() -> None:
    assert way() == Way()
    assert way("time", "assg:0.4") == Way("time", "assg", 0.4)
    assert way("paper") == Way(pixels="approximated")
    assert way("rga", batch=3) == Way("rga", batch=3)
    assert way("rga:4", batch=3) == Way("rga", batch=3, times=4)
    assert [way(name).name for name in ("rga", "rga:1", "rga:4")] == ["rga", "rga", "rga:4"]
    assert way("time", "assg:0.4").name == "assg:0.4"
    assert way("rate").name == "rate"
