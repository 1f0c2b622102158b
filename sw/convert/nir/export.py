"""An integer network as a NIR graph, in units of its membranes.

A synapse of weight w is w << f, a leak of shift k an LIF of tau = 2^k dt and r = 2^k, so that a
step adds its inputs as they are; no leak is an IF of r = 1. OR pooling is a sum pool and a
Threshold of 1/2. A layer that integrates ends the graph without neurons, or is an LI. Two things
that a NIR file has no place for stand in the metadata: what a spike does to the membrane, and what
the inputs are.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.files.atomic import atomic_write
from sw.integer.arm import Arm
from sw.integer.network import INPUT, IntegerLayer, IntegerNetwork
from sw.model.config.inputs import PIXEL_MAX

Floats = NDArray[np.float64]
POOLED = "_pooled"  # behind the name of a layer: its spikes after pooling


def write(path: Path, network: IntegerNetwork, dt: float) -> None:
    """Writes a network as a NIR file, whole or not at all; `dt` is the seconds of a step.

    Raises `InputError` if it cannot be written, or NIR has no word for a part of it.
    """
    nir = _nir()
    found = graph(network, dt)
    with tempfile.TemporaryDirectory(prefix="nc64c-") as folder:
        whole = Path(folder, "network.nir")
        nir.write(os.fspath(whole), found)
        atomic_write(path, whole.read_bytes())


def graph(network: IntegerNetwork, dt: float) -> Any:
    """The graph. Raises `InputError` if NIR has no word for a part of the network."""
    return _Graph(network, dt).made()


def _nir() -> Any:
    try:
        import nir
    except ImportError as error:
        raise InputError("NIR files need pip install 'nc64c[nir]'") from error
    return nir


class _Graph:
    def __init__(self, network: IntegerNetwork, dt: float) -> None:
        if not 0 < dt < 1e6:
            raise InputError(f"dt {dt}: must be seconds, more than 0")
        self._nir, self._network, self._dt = _nir(), network, dt
        self._nodes: dict[str, Any] = {}
        self._edges: list[tuple[str, str]] = []
        self._shapes = {INPUT: network.input_shape}
        self._shapes |= {layer.name: layer.pooled_shape for layer in network.layers}
        self._pooled = {layer.name for layer in network.layers if layer.pool}

    def made(self) -> Any:
        """All of it."""
        network = self._network
        self._add(INPUT, self._nir.Input(np.array(network.input_shape)), None)
        for number, layer in enumerate(network.layers):
            self._layer(number, layer)
        last = network.layers[-1]
        self._add("output", self._nir.Output(np.array([last.features])), last.name)
        resets = {layer.reset for layer in network.layers if layer.spiking}
        metadata = {
            "reset": " and ".join(sorted(resets)),
            "fires": "where v >= threshold",
            "dt": self._dt,
            "timesteps": network.timesteps,
            "inputs": network.encoding if network.takes_spikes else f"images, {network.encoding}",
        }
        return self._nir.NIRGraph(self._nodes, self._edges, metadata=metadata, type_check=False)

    def _add(self, name: str, node: Any, before: str | None) -> str:
        if name in self._nodes:
            raise InputError(f"layer {name}: has the name of another part of the network")
        self._nodes[name] = node
        if before is not None:
            self._edges.append((before, name))
        return name

    def _layer(self, number: int, layer: IntegerLayer) -> None:
        if layer.bias.ndim != 1:
            raise InputError(f"layer {layer.name}: biases that differ within a channel, not in NIR")
        default = INPUT if number == 0 else self._network.layers[number - 1].name
        ends: list[str] = []
        for arm in layer.arms:
            first = 0
            for source in arm.sources or (default,):
                end = first + self._shapes[source][0]
                ends.append(self._weights(layer, arm, source, slice(first, end), bias=not ends))
                first = end
        if layer.spiking or layer.leak is not None:
            self._neurons(layer, ends)
        elif len(ends) == 1:
            self._nodes[layer.name] = self._nodes.pop(ends[0])
            self._edges = [(a, layer.name if b == ends[0] else b) for a, b in self._edges]
        else:
            self._add(layer.name, self._nir.Scale(scale=np.ones(layer.output_shape)), None)
            self._edges += [(each, layer.name) for each in ends]
        if layer.pool:
            self._pool(layer)

    def _weights(
        self, layer: IntegerLayer, arm: Arm, source: str, channels: slice, *, bias: bool
    ) -> str:
        """A node for the weights of one source, and its name."""
        shape = self._shapes[source]
        before = source + POOLED if source in self._pooled else source
        name = f"{layer.name}_of_{source}"
        added = layer.bias.astype(np.float64) if bias else np.zeros(layer.features)
        if arm.window is None:
            whole = arm.weights.reshape(layer.features, *arm.input_shape)[:, channels]
            if shape != (shape[0], 1, 1) or source == INPUT:
                node = self._nir.Flatten(input_type=np.array(shape), start_dim=0)
                before = self._add(f"{name}_flat", node, before)
            weights = self._units(whole.reshape(layer.features, -1), layer, source)
            affine = self._nir.Affine(weights, added) if added.any() else self._nir.Linear(weights)
            return self._add(name, affine, before)
        rows, columns = arm.window.rows, arm.window.columns
        node = self._nir.Conv2d(
            input_shape=shape[1:],
            weight=self._units(arm.weights[:, channels], layer, source),
            stride=(rows.stride, columns.stride),
            padding=(rows.padding, columns.padding),
            dilation=(1, 1),
            groups=1,
            bias=added,
        )
        return self._add(name, node, before)

    def _units(self, weights: NDArray[np.int32], layer: IntegerLayer, source: str) -> Floats:
        """In membrane units; those of images for pixels of 0 to 1, as our import takes them."""
        pixels = source == INPUT and self._network.encoding == "direct"
        units = np.ldexp(weights.astype(np.float64), layer.fraction_bits)
        return units * PIXEL_MAX if pixels else units

    def _neurons(self, layer: IntegerLayer, ends: list[str]) -> None:
        nir, shape = self._nir, _neurons_shape(layer)
        ones = np.ones(shape)
        if layer.spiking and layer.reset == "none":
            raise InputError(f"layer {layer.name}: fires without a reset, which NIR cannot say")
        threshold = layer.spread(layer.threshold).reshape(shape).astype(np.float64)
        if layer.reset == "zero":
            threshold = threshold - 0.5  # so that > and >= are the same for whole membranes
        fields: dict[str, Any] = {}
        if layer.spiking:
            fields = {"v_threshold": threshold, "v_reset": 0 * ones}
        if layer.leak is None:
            node = nir.IF(r=ones, **fields)
        else:
            gain = 2.0**layer.leak
            kind = nir.LIF if layer.spiking else nir.LI
            node = kind(tau=self._dt * gain * ones, r=gain * ones, v_leak=0 * ones, **fields)
        self._add(layer.name, node, None)
        self._edges += [(each, layer.name) for each in ends]

    def _pool(self, layer: IntegerLayer) -> None:
        two = np.array([2, 2])
        node = self._nir.SumPool2d(kernel_size=two, stride=two, padding=np.array([0, 0]))
        summed = self._add(f"{layer.name}_sum", node, layer.name)
        fired = self._nir.Threshold(threshold=np.full(layer.pooled_shape, 0.5))
        self._add(layer.name + POOLED, fired, summed)


def _neurons_shape(layer: IntegerLayer) -> tuple[int, ...] | Shape:
    return (layer.features,) if layer.geometry is None else layer.output_shape
