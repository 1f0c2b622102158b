"""NIR graphs run in plain numpy, node by node and step by step: the oracle of the import.

It reads NIR alone and shares nothing with `sw.convert`: convolutions are sums over taps, neurons
are NIR's equations in Euler steps, and nodes are asked for their value when it is needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What NIR leaves open."""

    dt: float
    reset: str  # zero or subtract
    fires: str  # at or above


def run(graph: Any, spikes: NDArray[np.uint8], rules: Rules) -> dict[str, Floats]:
    """Outputs of all neurons for one input [T, ...]: [T, ...] each, by the node's name."""
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        before[target].append(source)
    v: dict[str, Floats] = {}
    last: dict[str, Floats] = {}  # what neurons gave in the step before: what a cycle comes back to
    found: dict[str, list[Floats]] = {}
    for each in spikes:
        values: dict[str, Floats] = {}
        begun: set[str] = set()

        def value(
            name: str,
            each: Any = each,
            values: dict[str, Floats] = values,
            begun: set[str] = begun,
            last: dict[str, Floats] = last,
        ) -> Floats:
            if name not in values and name in begun:
                node = graph.nodes[name]
                return last.get(name, np.zeros_like(getattr(node, "v_threshold", 0)))
            if name not in values:
                begun.add(name)
                node = graph.nodes[name]
                if type(node).__name__ == "Input":
                    values[name] = each.astype(np.float64)
                else:
                    arriving = sum(value(one) for one in before[name])
                    values[name] = _node(name, node, np.asarray(arriving), v, rules)
            return values[name]

        for name, node in graph.nodes.items():
            if type(node).__name__ in ("IF", "LIF", "LI", "Threshold"):
                found.setdefault(name, []).append(value(name))
        last = {name: each[-1] for name, each in found.items()}
    return {name: np.stack(each) for name, each in found.items()}


def _node(name: str, node: Any, x: Floats, v: dict[str, Floats], rules: Rules) -> Floats:
    kind = type(node).__name__
    if kind == "Flatten":
        return x.ravel()
    if kind == "Scale":
        return np.asarray(x * node.scale)
    if kind == "Linear":
        return np.asarray(node.weight @ x)
    if kind == "Affine":
        return np.asarray(node.weight @ x + node.bias)
    if kind == "Conv1d":
        one, two, three = (_one(each) for each in _moves(node))
        row, taps = x[:, None], node.weight[:, :, None]
        flat = _conv(row, taps, (1, one), (0, two), (1, three), int(node.groups))
        return np.asarray(flat[:, 0] + node.bias[:, None])
    if kind == "Conv2d":
        stride, padding, dilation = (_two(each) for each in _moves(node))
        summed = _conv(x, node.weight, stride, padding, dilation, int(node.groups))
        return np.asarray(summed + node.bias[:, None, None])
    if kind in ("SumPool2d", "AvgPool2d"):
        kernel = _two(node.kernel_size)
        taps = np.ones((len(x), 1, *kernel))
        summed = _conv(x, taps, _two(node.stride), _two(node.padding), (1, 1), len(x))
        return np.asarray(summed / (np.prod(kernel) if kind == "AvgPool2d" else 1))
    return _neuron(name, node, x, v, rules)


def _neuron(name: str, node: Any, x: Floats, v: dict[str, Floats], rules: Rules) -> Floats:
    kind = type(node).__name__
    if kind == "Threshold":
        return _above(x, node.threshold, rules)
    now = v.get(name, np.zeros_like(x))
    if kind == "IF":
        now = now + node.r * x
    else:
        now = now + rules.dt / node.tau * (node.v_leak - now + node.r * x)
    if kind == "LI":
        v[name] = now
        return np.asarray(now)
    fired = _above(now, node.v_threshold, rules)
    v[name] = np.where(fired > 0, 0.0 if rules.reset == "zero" else now - node.v_threshold, now)
    return fired


def _moves(node: Any) -> tuple[Any, Any, Any]:
    return node.stride, node.padding, node.dilation


def _above(values: Floats, threshold: Floats, rules: Rules) -> Floats:
    fires = values >= threshold if rules.fires == "at" else values > threshold
    return np.asarray(fires, np.float64)


def _conv(
    x: Floats,
    weights: Floats,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Floats:
    (s, t), (p, q), (d, e) = stride, padding, dilation
    padded = np.pad(x, ((0, 0), (p, p), (q, q)))
    out, each, high, wide = weights.shape
    rows = (padded.shape[1] - (high - 1) * d - 1) // s + 1
    columns = (padded.shape[2] - (wide - 1) * e - 1) // t + 1
    total = np.zeros((out, rows, columns))
    for o in range(out):
        first = o // (out // groups) * each
        for y in range(rows):
            for z in range(columns):
                seen = padded[
                    first : first + each,
                    y * s : y * s + (high - 1) * d + 1 : d,
                    z * t : z * t + (wide - 1) * e + 1 : e,
                ]
                total[o, y, z] = np.sum(seen * weights[o])
    return total


def _one(value: Any) -> int:
    return int(np.asarray(value).ravel()[0])


def _two(value: Any) -> tuple[int, int]:
    numbers = np.asarray(value).ravel().tolist()
    return (numbers[0], numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
