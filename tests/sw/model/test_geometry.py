"""The geometry of convolutions and pooling, against PyTorch's own."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from sw.attack.gradient.paper import rotated
from sw.integer import inference, network_file
from sw.integer.fold import fold
from sw.model.architectures import DIGITS
from sw.model.config import layer as layer_config
from sw.model.config.layer import LayerSpec
from sw.model.geometry import (
    CONVOLUTION,
    POOLING,
    Geometry,
    can_be_pooled,
    fan_in,
    output_shape,
    pooled_shape,
)
from sw.model.network import SpikingNetwork, as_input, at_rest
from tests.support.networks import OTHER_GEOMETRIES

GEOMETRIES = [
    Geometry(kernel, stride, padding)
    for kernel, stride in itertools.product(range(1, 6), range(1, 4))
    for padding in range(kernel)
]
SIZES = (5, 6, 7, 11)


def taps(geometry: Geometry, size: int) -> np.ndarray:
    """Which weight (1 ..) each input meets for each output, 0: none; [inputs, outputs]."""
    weight = torch.arange(1.0, geometry.kernel + 1).reshape(1, 1, -1)
    one_at_a_time = torch.eye(size)[:, None]
    found = F.conv1d(one_at_a_time, weight, stride=geometry.stride, padding=geometry.padding)
    return found[:, 0].int().numpy()


def test_the_geometry_of_the_paper() -> None:
    assert Geometry(kernel=3, stride=1, padding=1) == CONVOLUTION
    assert Geometry(kernel=2, stride=2, padding=0) == POOLING


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_windows_lie_where_a_convolution_has_them(geometry: Geometry, size: int) -> None:
    expected = taps(geometry, size)
    outputs = geometry.output(size)
    assert outputs == expected.shape[1]

    found = np.zeros_like(expected)
    for tap in range(geometry.kernel):
        inputs = geometry.input_under(np.arange(outputs), tap)
        inside = (inputs >= 0) & (inputs < size)
        found[inputs[inside], np.flatnonzero(inside)] = tap + 1
    assert np.array_equal(found, expected)

    for first, end in itertools.combinations(range(outputs + 1), 2):
        seen = np.flatnonzero(expected[:, first:end].any(axis=1))
        low, high = geometry.inputs_within((first, end), size)
        # With a stride beyond the kernel, pixels within the span are seen by no output.
        assert (seen.min(), seen.max() + 1) == (low, high)
        low, high = geometry.inputs_of((first, end))
        assert high - low == (end - first - 1) * geometry.stride + geometry.kernel


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_windows_that_leave_no_rest(geometry: Geometry, size: int) -> None:
    """One pixel less would be an output less."""
    exact = geometry.output(size - 1) < geometry.output(size) or geometry.stride == 1
    assert geometry.divides(size) == exact


def test_windows_larger_than_the_image_leave_a_rest() -> None:
    assert not Geometry(5).divides(4)
    assert not can_be_pooled((1, 1, 4))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_the_inputs_of_every_output(kernel: int, stride: int) -> None:
    geometry = Geometry(kernel, stride)
    expected = taps(geometry, 10)
    for tap in range(kernel):
        inputs = np.arange(10)[geometry.inputs_under(tap, 10)]
        assert np.array_equal(inputs, np.argwhere(tap + 1 == expected.T)[:, 1])
    if kernel == stride and geometry.divides(10):
        assert np.array_equal(geometry.output_over(np.arange(10)), np.nonzero(expected)[1])


@pytest.mark.slow
@pytest.mark.parametrize("geometry", [g for g in GEOMETRIES if g.stride == 1], ids=str)
def test_the_way_back_is_the_transposed_convolution(geometry: Geometry) -> None:
    generator = torch.Generator().manual_seed(geometry.kernel)
    images = torch.rand(2, 3, 6, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    square = (geometry.kernel, geometry.kernel)
    weight = torch.rand(4, 3, *square, generator=generator, dtype=torch.float64) - 0.5
    outputs = F.conv2d(images, weight, padding=geometry.padding)
    by_output = torch.rand(outputs.shape, generator=generator, dtype=torch.float64) - 0.5
    (expected,) = torch.autograd.grad(outputs, images, by_output)
    found = rotated(by_output, weight, geometry)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("geometry", [Geometry(3, 2, 1), Geometry(5), CONVOLUTION], ids=str)
def test_shapes(geometry: Geometry) -> None:
    weight = torch.zeros(7, *fan_in(geometry, (2, 9, 6)))
    images = torch.zeros(1, 2, 9, 6)
    outputs = F.conv2d(images, weight, stride=geometry.stride, padding=geometry.padding)
    assert output_shape(geometry, 7, (2, 9, 6)) == outputs.shape[1:]
    assert pooled_shape((2, 9, 6)) == F.max_pool2d(images, 2).shape[1:]
    assert (can_be_pooled((2, 9, 6)), can_be_pooled((2, 8, 6))) == (False, True)


def test_fully_connected_shapes() -> None:
    assert fan_in(None, (2, 9, 6)) == (108,)
    assert output_shape(None, 7, (2, 9, 6)) == (7, 1, 1)


@pytest.mark.parametrize("numbers", [(0, 1, 0), (3, 0, 1), (3, 1, 3), (3, 1, -1)])
def test_impossible_geometries_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="padding 0 or more and less than the kernel"):
        Geometry(*numbers)


def test_what_a_geometry_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no plain convolution"):
        _ = Geometry(3, 2, 1).backward
    with pytest.raises(ValueError, match="windows do not tile"):
        CONVOLUTION.output_over(np.arange(3))
    with pytest.raises(ValueError, match="no such input pixel"):
        CONVOLUTION.inputs_under(0, 8)


@pytest.mark.parametrize("convolution", OTHER_GEOMETRIES, ids=str)
def test_another_convolution(
    convolution: Geometry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The network, its integers and their file have no kernel, stride or padding of their own."""
    monkeypatch.setattr(layer_config, "CONVOLUTION", convolution)
    layers = (LayerSpec("conv", 3), LayerSpec("conv", 2), LayerSpec("fc", 4))
    network = SpikingNetwork(replace(DIGITS, input_shape=(1, 9, 8), layers=layers), weight_bits=4)
    network.reset(1)
    images = np.random.default_rng(1).integers(0, 256, (2, 1, 9, 8), dtype=np.uint8)
    with at_rest(network), torch.no_grad():
        expected = network.trace(as_input(images)).spikes
    integers = fold(network)
    network_file.save(tmp_path / "network", integers)
    found = inference.run(network_file.load(tmp_path / "network"), images).spikes
    for name, spikes in expected.items():
        assert found[name].shape == spikes.shape
        assert (found[name] != spikes.bool().numpy()).mean() < 0.02, name  # thresholds are rounded
    side = convolution.output(convolution.output(8))
    assert integers.layers[1].output_shape[2] == side
