"""Random NIR graphs of integer weights that the chip can hold."""

from collections.abc import Iterator
from typing import Any

import nir
import numpy as np

DT = 1e-3
TIMESTEPS = 5


class Drawn:
    """A graph, drawn: convolutions, a pool, a branch that is added, two dense layers.

    `more`: also recurrent layers, a shortcut of stride 2, and thresholds of neurons' own.
    """

    def __init__(self, seed: int, *, more: bool = False) -> None:
        self._more = more
        self._generator = np.random.default_rng(seed)
        self._nodes: dict[str, Any] = {}
        self._edges: list[tuple[str, str]] = []
        size = tuple(int(number) for number in self._generator.integers(8, 12, 2))
        self.shape = (2, *size)
        self._add("input", nir.Input(np.array(self.shape)), ())
        groups = int(self._generator.choice([1, 2]))
        last, shape = self._conv("c1", "input", self.shape, 4, groups=groups)
        last = self._neuron("n1", last, shape)
        if self._generator.random() < 0.6:
            last, shape = self._residual(last, shape)
        if more:
            last, shape = self._strided(last, shape)
        if self._generator.random() < 0.7 and min(shape[1:]) >= 4:
            last, shape = self._pool(last, shape)
        last, shape = self._conv("c2", last, shape, 3, stride=1)
        last = self._neuron("n2", last, shape)
        self._add("flat", nir.Flatten(input_type=np.array(shape), start_dim=0), (last,))
        flat = int(np.prod(shape))
        self._add("l3", nir.Affine(self._whole(6, flat), self._whole(6)), ("flat",))
        last = self._neuron("n3", "l3", (6,))
        if more and self._can_recur("n3"):
            self._add("again", nir.Affine(self._whole(6, 6), self._whole(6)), ("n3",))
            self._edges.append(("again", "n3"))
        self._add("l4", nir.Linear(self._whole(3, 6)), (last,))
        last = self._neuron("n4", "l4", (3,))
        self._add("output", nir.Output(np.array([3])), (last,))
        self.graph = nir.NIRGraph(self._nodes, self._edges, type_check=False)

    def spikes(self, images: int = 2) -> Any:
        """uint8 [images, T, C, H, W]."""
        drawn = self._generator.random((images, TIMESTEPS, *self.shape)) < 0.4
        return drawn.astype(np.uint8)

    def neurons(self) -> Iterator[str]:
        """Names of the nodes that fire."""
        return (name for name in self._nodes if name.startswith("n"))

    def _add(self, name: str, node: Any, before: tuple[str, ...]) -> str:
        self._nodes[name] = node
        self._edges += [(each, name) for each in before]
        return name

    def _whole(self, *shape: int) -> Any:
        return self._generator.integers(-4, 6, shape).astype(np.float64)

    def _conv(
        self,
        name: str,
        before: str,
        shape: Any,
        out: int,
        groups: int = 1,
        stride: int | None = None,
    ) -> tuple[str, Any]:
        kernel = self._generator.integers(1, 4, 2)
        dilation = self._generator.integers(1, 3, 2)
        seen = (kernel - 1) * dilation + 1
        padding = np.array([self._generator.integers(0, size) for size in seen])
        pace = self._generator.integers(1, 3, 2) if stride is None else np.full(2, stride)
        sizes = [
            int((size + 2 * p - k) // s + 1)
            for size, p, k, s in zip(shape[1:], padding, seen, pace, strict=True)
        ]
        if min(sizes) < 1:
            return self._conv(name, before, shape, out, groups, stride)
        node = nir.Conv2d(
            input_shape=tuple(shape[1:]),
            weight=self._whole(out, shape[0] // groups, *kernel),
            stride=tuple(pace.tolist()),
            padding=tuple(padding.tolist()),
            dilation=tuple(dilation.tolist()),
            groups=groups,
            bias=self._whole(out),
        )
        return self._add(name, node, (before,)), (out, *sizes)

    def _same_size(self, shape: Any) -> nir.Conv2d:
        """A 3 x 3 convolution whose output has the shape of its input."""
        channels = shape[0]
        return nir.Conv2d(
            input_shape=tuple(shape[1:]),
            weight=self._whole(channels, channels, 3, 3),
            stride=1,
            padding=1,
            dilation=1,
            groups=1,
            bias=self._whole(channels),
        )

    def _residual(self, last: str, shape: Any) -> tuple[str, Any]:
        self._add("r1", self._same_size(shape), (last,))
        inner = self._neuron("n1b", "r1", shape)
        self._add("r2", self._same_size(shape), (inner,))
        name = self._neuron("n1c", "r2", shape)
        self._edges.append((last, name))  # the branch that is added
        return name, shape

    def _strided(self, last: str, shape: Any) -> tuple[str, Any]:
        """A block of half the height and width, its shortcut, and its own spikes."""
        half = (shape[0], -(-shape[1] // 2), -(-shape[2] // 2))

        def conv(kernel: int, stride: int, before: Any) -> nir.Conv2d:
            return nir.Conv2d(
                input_shape=tuple(before[1:]),
                weight=self._whole(shape[0], shape[0], kernel, kernel),
                stride=stride,
                padding=kernel // 2,
                dilation=1,
                groups=1,
                bias=self._whole(shape[0]),
            )

        self._add("b1", conv(3, 2, shape), (last,))
        inner = self._neuron("nb1", "b1", half)
        self._add("b2", conv(3, 1, half), (inner,))
        self._add("short", conv(1, 2, shape), (last,))
        self._nodes["short"].bias[:] = 0
        name = self._neuron("nb2", "b2", half)
        self._edges.append(("short", name))
        if self._can_recur(name):
            self._add("back", conv(3, 1, half), (name,))
            self._edges.append(("back", name))
        return name, half

    def _can_recur(self, name: str) -> bool:
        return not isinstance(self._nodes[name], nir.Threshold)

    def _pool(self, last: str, shape: Any) -> tuple[str, Any]:
        two = np.array([2, 2])
        kind = nir.SumPool2d if self._generator.random() < 0.7 else nir.AvgPool2d
        # A rest that the pool leaves out would meet the padding of the next convolution.
        if shape[1] % 2 or shape[2] % 2:
            return last, shape
        node = kind(kernel_size=two, stride=two, padding=np.array([0, 0]))
        return self._add("p", node, (last,)), (shape[0], shape[1] // 2, shape[2] // 2)

    def _neuron(self, name: str, before: str, shape: Any) -> str:
        ones = np.ones(shape)
        threshold = float(self._generator.integers(3, 12)) * ones
        ones_of_r = ones
        if self._more and self._generator.random() < 0.4:
            threshold = self._generator.integers(3, 12, shape).astype(np.float64)
            ones_of_r = ones * self._generator.choice([1, 2])
        kind = self._generator.choice(["IF", "LIF", "Threshold"], p=[0.5, 0.35, 0.15])
        node: Any
        if kind == "IF":
            node = nir.IF(r=ones_of_r, v_threshold=threshold, v_reset=0 * ones)
        elif kind == "LIF":
            tau = DT * 2.0 ** int(self._generator.integers(0, 2)) * ones
            node = nir.LIF(tau=tau, r=ones, v_leak=ones, v_threshold=threshold, v_reset=0 * ones)
        else:
            node = nir.Threshold(threshold=threshold)
        return self._add(name, node, (before,))
