"""A layer of another framework in floats, as its file says it and as the chip can have it."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.decisions import Fires
from sw.convert.linear_map import LinearMap
from sw.integer.network import MAX_LEAK, Reset
from sw.integer.window import Window

NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class FloatArm:
    """What leads to a layer from `sources`, whose channels stand one after the other."""

    sources: tuple[str, ...]
    drive: LinearMap

    def with_bias(self, bias: NDArray[np.float64]) -> "FloatArm":
        """The same with another bias."""
        return replace(self, drive=replace(self.drive, bias=bias))


@dataclass(frozen=True, eq=False)
class FloatLayer:
    """Neurons and what leads to them; per step  v = keep v + weights x inputs + bias.

    Attributes:
        sources: the layers whose spikes come in, or `sw.integer.network.INPUT`.
        drive: of all sources' channels one after the other, gains included.
        keep: the share of v that a step leaves, 0 to 1.
        threshold: float64 [out], or [out, H, W] where the neurons of a channel differ.
        spiking: False: it integrates.
        reset: what a spike does to v: it becomes 0, loses the threshold, or stays.
        fires: where v >= threshold ("at"), or v > threshold ("above").
        late: the threshold is lost in the next step, after its leak.
        pool: 2 x 2 maximum pooling of the spikes follows.
        beside: more arms, without biases, of inputs of other sizes or of its own spikes.
    """

    name: str
    sources: tuple[str, ...]
    drive: LinearMap
    keep: float
    threshold: NDArray[np.float64]
    spiking: bool
    reset: Reset = "zero"
    fires: Fires = "at"
    late: bool = False
    pool: bool = False
    beside: tuple[FloatArm, ...] = ()

    @property
    def arms(self) -> tuple[FloatArm, ...]:
        """All that leads to it."""
        return (FloatArm(self.sources, self.drive), *self.beside)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Those of all arms, flat by output: [out, all]."""
        arms = [arm.drive.weights for arm in self.arms]
        return np.concatenate([each.reshape(len(each), -1) for each in arms], axis=1)

    def immediate(self, *, approximate: bool) -> tuple["FloatLayer", str | None]:
        """The layer as the chip resets it, and a note, if that is another way.

        Raises `InputError` if it is another way and none is to stand for it.
        """
        if not self.late:
            return self, None
        if self.keep == 1:
            return replace(self, late=False), None
        chip = f"the chip loses it before the leak, so {self.keep:g} of it is lost by then"
        if not approximate:
            raise InputError(
                f"layer {self.name}: a spike loses the threshold after the leak of the next step, "
                f"{chip}: take that as near with approximate, or train with a reset to zero"
            )
        return replace(self, late=False), f"a spike lost the threshold after the leak; {chip}"

    def leak(self, *, approximate: bool) -> tuple[int | None, str | None]:
        """The shift that keeps this share, None for all of it; and a note, if it is another one.

        Raises `InputError` if there is no such shift, and none is to stand for it.
        """
        if self.keep == 1:
            return None, None
        lost = 1 - self.keep
        exact = -math.log2(lost)
        shift = round(exact)
        if abs(exact - shift) < NEAR and 0 <= shift <= MAX_LEAK:
            return shift, None
        shift = min(max(shift, 0), MAX_LEAK)
        note = f"leak {self.keep:g} -> {1 - 2.0**-shift:g}: the chip keeps 1 - 2^-k of a membrane"
        if not approximate:
            raise InputError(
                f"layer {self.name}: keeps {self.keep:g} of a membrane a step, the chip 1 - 2^-k: "
                f"choose dt so that dt / tau is a power of two, or take {1 - 2.0**-shift:g} with "
                "--approximate"
            )
        return shift, note


def arms(where: str, maps: dict[str, LinearMap], own: str) -> tuple[FloatArm, ...]:
    """Maps by source, added; those of one height and width that move alike are one arm.

    The spikes of the layer itself, `own`, are the last arm. All biases are in the first.

    Raises `InputError` where the maps give different outputs, or there are own spikes only.
    """
    every = {source: linear_map.simplest(each) for source, each in maps.items()}
    if len({each.outputs for each in every.values()}) > 1:
        shapes = " and ".join(str(each.outputs) for each in every.values())
        raise InputError(f"{where}: adds outputs of different shapes, {shapes}")
    if any(each.window is None for each in every.values()):
        every = {source: _flat(where, each) for source, each in every.items()}
    found: list[FloatArm] = []
    for source, each in every.items():
        if source != own:
            _add(where, found, FloatArm((source,), each))
    if not found:
        raise InputError(f"{where}: takes its own spikes and nothing else")
    if own in every:
        found.append(FloatArm((own,), every[own]))
    bias = np.sum([arm.drive.bias for arm in found], axis=0)
    biases = [bias, *[0 * bias] * (len(found) - 1)]
    return tuple(arm.with_bias(each) for arm, each in zip(found, biases, strict=True))


def any_of(name: str, source: str, inputs: Shape, window: Window) -> FloatLayer:
    """The OR of a layer's spikes under a window, which is their maximum, as a layer of its own."""
    plain = linear_map.identity(inputs)
    drive = linear_map.pooled(name, plain, window, average=False)
    return FloatLayer(name, (source,), drive, 0.0, np.full(inputs[0], 0.5), spiking=True)


def _flat(where: str, each: LinearMap) -> LinearMap:
    """The same, fully connected; its outputs have one pixel."""
    if each.window is None:
        return each
    outputs = each.outputs[0]
    return linear_map.connected(where, each, np.eye(outputs), np.zeros(outputs))


def _add(where: str, found: list[FloatArm], arm: FloatArm) -> None:
    """Enters an arm: into one that it can share a window with, or as one of its own."""
    for at, other in enumerate(found):
        try:
            both = linear_map.joined(where, [other.drive, arm.drive])
        except InputError:
            continue
        found[at] = FloatArm((*other.sources, *arm.sources), both)
        return
    found.append(arm)
