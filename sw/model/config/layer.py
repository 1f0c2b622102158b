"""A layer by itself: its kind, its windows, its neurons, and where its inputs come from."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import MAX_FEATURES, check_choice, check_range
from sw.common.errors import InputError
from sw.model.geometry import CONVOLUTION, Geometry

LayerKind = Literal["conv", "fc"]
SpikeReset = Literal["zero", "subtract"]

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def geometry_of(kind: LayerKind) -> Geometry | None:
    """Of a convolution; None: a fully connected layer has none."""
    return CONVOLUTION if kind == "conv" else None


@dataclass(frozen=True)
class Branch:
    """Spikes of one more layer that come in with weights of their own.

    Attributes:
        source: a layer's name; that of the layer itself: its spikes of the step before.
        window: of a convolution; None: fully connected.
    """

    source: str
    window: Geometry | None = None


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its kind, output channels or neurons, and whether pooling follows.

    Attributes:
        pool_window: of the pooling; None: 2 x 2.
        window: of a convolution, dilation included; None: that of the paper, 3 x 3.
        dilation: input pixels from one weight of the kernel to the next.
        groups: of a convolution; as many as there are input channels: depthwise.
        name: None: its kind and its number among those.
        inputs: names of layers, whose channels come one after the other; none: the layer before.
        added: the spikes of all `inputs` meet the same weights, and so are added.
        branches: more inputs.
        reset: what a spike does to the membrane: it becomes 0, or loses the threshold.
        leak: share of a membrane that a step keeps, 1: integrate-and-fire; None: the network's.
        theta: threshold; None: the network's.
    """

    kind: LayerKind
    features: int
    pool: bool = False
    pool_window: Geometry | None = None
    window: Geometry | None = None
    dilation: int = 1
    groups: int = 1
    name: str | None = None
    inputs: tuple[str, ...] = ()
    added: bool = False
    branches: tuple[Branch, ...] = ()
    reset: SpikeReset = "zero"
    leak: float | None = None
    theta: float | None = None

    @property
    def geometry(self) -> Geometry | None:
        """The window of a convolution, dilation included."""
        return self.window or geometry_of(self.kind)

    @property
    def taps(self) -> int:
        """Weights of the kernel in one direction."""
        geometry = self.geometry
        return 1 if geometry is None else (geometry.kernel - 1) // self.dilation + 1

    def check(self, where: str) -> None:
        """Raises `InputError`, beginning with `where`, for a value that no network can have."""
        check_choice(f"{where}: kind", self.kind, get_args(LayerKind))
        check_choice(f"{where}: reset", self.reset, get_args(SpikeReset))
        check_range(f"{where}: features", self.features, 1, MAX_FEATURES)
        for what in ("dilation", "groups"):
            check_range(f"{where}: {what}", getattr(self, what), 1, MAX_FEATURES)
        if self.name is not None and not NAME.fullmatch(self.name):
            raise InputError(f"{where}: name {self.name!r}: must be a-z, 0-9 and _, as conv_1")
        for what, value, most in (("leak", self.leak, 1.0), ("theta", self.theta, 1e6)):
            if value is not None and not 0 < value <= most:
                raise InputError(
                    f"{where}: {what} is {value}, must be above 0 and at most {most:g}"
                )
        if self.geometry is not None and (self.geometry.kernel - 1) % self.dilation:
            raise InputError(f"{where}: a window of {self.geometry.kernel} has no such dilation")
        if self.geometry is None and (self.window or self.groups > 1 or self.dilation > 1):
            raise InputError(f"{where}: a fully connected layer has no window, groups or dilation")
