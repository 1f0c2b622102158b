"""The gradient by the pixels: autograd, the paper's rotated convolution, and where they agree."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sw.attack.gradient.paper import rotated
from sw.attack.gradient.sight import by_pixels
from sw.attack.gradient.way import Way
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.geometry import CONVOLUTION
from sw.model.network import SpikingNetwork, as_input
from sw.train.checkpoint import Checkpoint
from tests.support.networks import clear_of_zero

COLOUR = dataclasses.replace(
    DIGITS,
    name="colour",
    input_shape=(3, 6, 8),
    layers=(LayerSpec("conv", 5), LayerSpec("conv", 4, pool=True), LayerSpec("fc", 7)),
)


def _random_network(bits: int | None, seed: int, config: NetworkConfig = COLOUR) -> SpikingNetwork:
    """In double precision, with batch norms that have seen something."""
    network = SpikingNetwork(config, bits)
    network.reset(seed)
    generator = torch.Generator().manual_seed(seed)
    for layer in network.chain[:-1]:
        assert layer.norm is not None
        assert layer.norm.running_mean is not None
        assert layer.norm.running_var is not None
        torch.nn.init.uniform_(layer.norm.weight, -0.8, 0.8, generator=generator)
        torch.nn.init.uniform_(layer.norm.bias, 0.0, 0.4, generator=generator)
        torch.nn.init.uniform_(layer.norm.running_mean, -0.1, 0.1, generator=generator)
        torch.nn.init.uniform_(layer.norm.running_var, 0.05, 0.5, generator=generator)
    return network.double().eval()


def test_rotated_by_hand() -> None:
    """Eq. 7 and 8 for one pixel: only Y[2,1] counts, so each input gets the weight it had there."""
    weight = torch.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    by_output = torch.zeros(1, 1, 4, 4)
    by_output[0, 0, 1, 0] = 1.0
    expected = torch.zeros(4, 4)
    expected[:3, :2] = torch.tensor([[2.0, 3.0], [5.0, 6.0], [8.0, 9.0]])
    assert torch.equal(rotated(by_output, weight, CONVOLUTION)[0, 0], expected)


def test_rotated_is_the_transposed_convolution() -> None:
    generator = torch.Generator().manual_seed(6)
    images = torch.rand(2, 3, 6, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(4, 3, 3, 3, generator=generator, dtype=torch.float64) - 0.5
    by_output = torch.rand(2, 4, 6, 5, generator=generator, dtype=torch.float64) - 0.5
    (expected,) = torch.autograd.grad(F.conv2d(images, weight, padding=1), images, by_output)
    found = rotated(by_output, weight, CONVOLUTION)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("bits", [None, 1, 4, 8])
@pytest.mark.parametrize("seed", [1, 2])
def test_both_paths_agree_for_direct_encoding(bits: int | None, seed: int) -> None:
    """To rounding of float64: they add up the same products in another order."""
    network = _random_network(bits, seed)
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(5, *COLOUR.input_shape, generator=generator, dtype=torch.float64)
    labels = torch.randint(10, (5,), generator=generator)
    expected = by_pixels(network, pixels, labels, Way(pixels="autograd"))
    found = by_pixels(network, pixels, labels, Way(pixels="approximated"))
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("which", ["float_network", "quantised_network"])
def test_both_paths_agree_for_a_trained_network(
    committed: Checkpoint, held_out: Dataset, which: str
) -> None:
    network: SpikingNetwork = getattr(committed, which)
    pixels, labels = as_input(held_out.images[:50]), torch.from_numpy(held_out.labels[:50])
    expected = by_pixels(network, pixels, labels, Way(pixels="autograd"))
    found = by_pixels(network, pixels, labels, Way(pixels="approximated"))
    largest = expected.abs().max()
    assert (found - expected).abs().max() < 1e-5 * largest  # float32
    clear = clear_of_zero(expected)
    assert torch.equal(found.sign()[clear], expected.sign()[clear])


@pytest.mark.parametrize("how", ["autograd", "approximated"])
def test_leaves_no_trace_in_the_network(committed: Checkpoint, held_out: Dataset, how: str) -> None:
    network = committed.float_network
    pixels, labels = as_input(held_out.images[:4]), torch.from_numpy(held_out.labels[:4])
    by_pixels(network, pixels, labels, Way(pixels=how))  # type: ignore[arg-type]
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not network.chain[0]._forward_hooks
    assert not pixels.requires_grad


def test_approximation_needs_a_convolution_first() -> None:
    network = SpikingNetwork(dataclasses.replace(DIGITS, layers=(LayerSpec("fc", 8),)))
    network.reset(0)
    with pytest.raises(InputError, match="needs a convolution as first layer, but fc1 is none"):
        by_pixels(
            network,
            torch.rand(2, 1, 8, 8),
            torch.zeros(2, dtype=torch.int64),
            Way(pixels="approximated"),
        )


def test_a_wrong_rotation_would_be_seen(committed: Checkpoint, held_out: Dataset) -> None:
    """The agreement above is no accident of symmetric weights."""
    weight = committed.float_network.chain[0].weight.detach()
    by_output = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 16, 8, 8))).float()
    unrotated = F.conv2d(by_output, weight.transpose(0, 1), padding=1)
    assert (rotated(by_output, weight, CONVOLUTION) - unrotated).abs().max() > 0.1


@pytest.mark.parametrize("encoding", ["direct", "rate", "phase", "latency"])
@pytest.mark.parametrize("bits", [None, 4])
def test_approximation_is_autograd_at_the_encoded_input(
    encoding: Encoding, bits: int | None
) -> None:
    """Every encoding has a gradient at its spikes; summed over the steps it is Eq. 11."""
    config = dataclasses.replace(COLOUR, encoding=encoding, timesteps=6)
    network = _random_network(bits, 5, config)
    generator = torch.Generator().manual_seed(5)
    whole = torch.randint(256, (4, *COLOUR.input_shape), generator=generator)
    pixels = whole.double() / 255
    labels = torch.randint(10, (4,), generator=generator)
    inputs = network.encode(pixels).requires_grad_()
    loss = F.cross_entropy(network.trace_inputs(inputs).scores, labels, reduction="sum")
    (by_input,) = torch.autograd.grad(loss, inputs)
    expected = by_input.sum(0) / network.chain[0].input_unit  # an input of 1 is worth one unit
    assert expected.abs().max() > 1e-3
    found = by_pixels(network, pixels, labels)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("encoding", ["rate", "phase", "latency"])
def test_autograd_finds_no_way_through_spikes(encoding: Encoding) -> None:
    network = _random_network(None, 1, dataclasses.replace(COLOUR, encoding=encoding))
    with pytest.raises(InputError, match=f"encoding {encoding} has no gradient by the pixels"):
        by_pixels(
            network,
            torch.zeros(1, *COLOUR.input_shape),
            torch.zeros(1, dtype=torch.int64),
            Way(pixels="autograd"),
        )
