"""A NIR graph as layers: neurons, and the one linear map that leads to them from each source."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sw.common.checks import Shape, check_shape
from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer, arms
from sw.convert.linear_map import LinearMap
from sw.convert.nir.nodes import connect, neuron
from sw.integer.network import INPUT

NEURONS = ("IF", "LIF", "LI", "Threshold")
LINEAR = (
    "Conv1d",
    "Conv2d",
    "Linear",
    "Affine",
    "Scale",
    "Flatten",
    "SumPool2d",
    "AvgPool2d",
)
Maps = dict[str, LinearMap]  # by source


class NirLayers:
    """The layers of a NIR graph in an order in which each stands behind its sources.

    Raises `InputError` for a node that the chip cannot have, a cycle, or shapes that do not fit.
    """

    def __init__(self, graph: Any, decisions: Decisions) -> None:
        self._nodes: dict[str, Any] = graph.nodes
        self._decisions = decisions
        self._before: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for source, target in graph.edges:
            self._before[target].append(source)
        self._shapes: dict[str, Shape] = {}
        self._open: list[str] = []
        self._late: dict[str, str] = {}  # nodes on a layer's way back to itself
        self._given: dict[str, Maps] = {}
        self.layers: list[FloatLayer] = []
        output = self._one("Output")
        self._one("Input")
        [last, *more] = self._before[output] or [""]
        if more or not last:
            raise InputError(f"NIR node {output}: must have one input")
        self._finish(last)
        self._check_output(output, last)

    @property
    def input_shape(self) -> Shape:
        """C, H, W of the network's input."""
        return self._shapes[INPUT]

    def _one(self, kind: str) -> str:
        found = [name for name, node in self._nodes.items() if _kind(node) == kind]
        if len(found) != 1:
            raise InputError(f"the NIR graph has {len(found)} nodes {kind}, must have one")
        return found[0]

    def _finish(self, last: str) -> None:
        """The last layer: a linear node without neurons behind it is one that integrates."""
        maps = self._maps(last)
        if _kind(self._nodes[last]) in NEURONS:
            return
        first, *beside = arms(f"NIR node {last}", maps, last)
        zeros = np.zeros(len(first.drive.weights))
        self.layers.append(
            FloatLayer(last, first.sources, first.drive, 1.0, zeros, False, beside=tuple(beside))
        )

    def _check_output(self, output: str, last: str) -> None:
        """Raises `InputError` if the graph's output has another shape than what is given to it."""
        wanted, given = (_declared(self._nodes[name]) for name in (output, last))
        if wanted is not None and given is not None and wanted != given:
            raise InputError(f"NIR node {output}: has the shape {wanted}, but {last} gives {given}")

    def _maps(self, name: str) -> Maps:
        """What leads from spikes to the outputs of a node."""
        if name in self._given:
            if self._late.get(name, name) not in (name, *self._open):
                raise InputError(
                    f"NIR node {name}: is part of the cycle of {self._late[name]}, where it has the"
                    " spikes of the step before, so it can lead to nothing else"
                )
            return self._given[name]
        if name in self._open:
            return self._again(name)
        self._open.append(name)
        self._given[name] = self._made(name)
        self._open.pop()
        return self._given[name]

    def _made(self, name: str) -> Maps:
        node, kind = self._nodes[name], _kind(self._nodes[name])
        if kind == "Input":
            self._shapes[INPUT] = _shape(name, node)
            return {INPUT: linear_map.identity(self._shapes[INPUT])}
        if kind not in (*NEURONS, *LINEAR):
            raise InputError(
                f"NIR node {name} is {kind}, which this chip cannot do: must be one of "
                f"{', '.join((*NEURONS, *LINEAR))}"
            )
        where = f"NIR node {name} ({kind})"
        if kind in LINEAR:
            arriving = self._arriving(name, self._before[name])
            return {
                source: connect(where, node, each, first=not at)
                for at, (source, each) in enumerate(arriving.items())
            }
        before = self._before[name]
        onwards = [each for each in before if not self._leads(name, each)]
        if onwards:  # what its own spikes lead to must have the size of what it is given else
            self._shapes[name] = next(iter(self._arriving(name, onwards).values())).outputs
        every = arms(where, self._arriving(name, before), name)
        self.layers.append(neuron(name, node, every, self._decisions))
        self._shapes[name] = every[0].drive.outputs
        return {name: linear_map.identity(self._shapes[name])}

    def _again(self, name: str) -> Maps:
        """A node that is met again on the way back from itself: its spikes of the step before."""
        between = self._open[self._open.index(name) :]
        loop = " -> ".join([*between, name])
        kinds = [_kind(self._nodes[each]) for each in between]
        firing = [kind for kind in kinds if kind in NEURONS and kind != "LI"]
        if not firing:
            raise InputError(
                f"the NIR graph has a cycle, {loop}, in which nothing fires: it has no delay"
            )
        if len(firing) > 1 or firing[0] != kinds[0]:
            raise InputError(
                f"the NIR graph has a cycle, {loop}: only a layer's own spikes can come back to it"
                " in the next step, without neurons on the way; a later layer's come too late"
            )
        self._late |= dict.fromkeys(between[1:], name)
        shape = self._shapes.get(name) or _shape(name, self._nodes[name])
        return {name: linear_map.identity(shape)}

    def _leads(self, source: str, target: str) -> bool:
        """Whether a node leads to another one without other neurons on the way."""
        wanted, seen = [target], set()
        while wanted:
            name = wanted.pop()
            if name == source:
                return True
            if name not in seen and _kind(self._nodes[name]) not in NEURONS:
                wanted += self._before[name]
            seen.add(name)
        return False

    def _arriving(self, name: str, nodes: Sequence[str]) -> Maps:
        """The maps of these nodes before it, added where they come from the same source."""
        found: dict[str, list[LinearMap]] = {}
        for before in nodes:
            for source, each in self._maps(before).items():
                if before in self._layer_names and not self._spikes(before):
                    raise InputError(f"NIR node {name}: takes {before}, which does not spike")
                found.setdefault(source, []).append(each)
        if not found:
            raise InputError(f"NIR node {name}: has no input")
        where = f"NIR node {name}"
        return {source: linear_map.added(where, maps) for source, maps in found.items()}

    @property
    def _layer_names(self) -> set[str]:
        return {layer.name for layer in self.layers}

    def _spikes(self, name: str) -> bool:
        return next(layer.spiking for layer in self.layers if layer.name == name)


def _kind(node: Any) -> str:
    return type(node).__name__


def _declared(node: Any) -> list[int] | None:
    """The shape of a node's outputs as the file has it; None: it does not say."""
    found = [value for value in (node.output_type or {}).values() if value is not None]
    return [int(size) for size in np.asarray(found[0]).ravel()] if found else None


def _shape(name: str, node: Any) -> Shape:
    """Of an input: [n], [C, L] or [C, H, W]."""
    [sizes] = node.input_type.values()
    found = [int(size) for size in np.asarray(sizes).ravel()]
    shape: dict[int, Callable[[], list[int]]] = {
        1: lambda: [found[0], 1, 1],
        2: lambda: [found[0], 1, found[1]],
        3: lambda: found,
    }
    if len(found) not in shape:
        raise InputError(f"NIR node {name}: has the shape {found}, must have 1 to 3 sizes")
    channels, height, width = shape[len(found)]()
    check_shape(f"NIR node {name}", (channels, height, width))
    return channels, height, width
