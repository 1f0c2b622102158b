"""What a network is made of, before it has weights."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import MAX_FEATURES, Shape, check_range, check_shape
from sw.common.errors import InputError
from sw.model.geometry import CONVOLUTION, Geometry, can_be_pooled, output_shape, pooled_shape

LayerKind = Literal["conv", "fc"]
Encoding = Literal["direct", "rate", "phase", "latency"]  # what they are: `sw.model.encoding`
Inputs = Encoding | Literal["spikes", "phase_spikes"]  # or, no images, spikes that are given
Pooling = Literal["or", "average"]
SpikeReset = Literal["zero", "subtract"]

PIXEL_MAX = 255
PHASES = 8  # bits of a pixel
MAX_TIMESTEPS = 1024
MAX_TICK = 1e6  # seconds
MAX_WEIGHT_BITS = 8
IMAGES = "input"  # what a layer names to take the network's input
ALONE = "the first layer takes the images and nothing else"
MAX_WEIGHTS = 1 << 28  # of a layer: more than fit any chip, and than should be tried
SPIKES: tuple[Inputs, ...] = ("spikes", "phase_spikes")
PHASED: tuple[Inputs, ...] = ("phase", "phase_spikes")  # a spike of step k counts 2^(7 - k mod 8)
INPUTS = (*get_args(Encoding), *SPIKES)
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


@dataclass(frozen=True)
class Place:
    """A layer in its network: its name, what comes in, and the shapes of that.

    Attributes:
        name: see `LayerSpec.name`.
        spec: the layer.
        inputs: names of layers, or `IMAGES`.
        input_shape: C, H, W that the weights see.
        branch_shapes: the same of each branch.
        shape: C, H, W of its spikes, after pooling.
    """

    name: str
    spec: LayerSpec
    inputs: tuple[str, ...]
    input_shape: Shape
    branch_shapes: tuple[Shape, ...]
    shape: Shape

    @property
    def recurrent(self) -> bool:
        """Whether it takes its own spikes."""
        return any(branch.source == self.name for branch in self.spec.branches)


@dataclass(frozen=True)
class NetworkConfig:
    """All that makes a network but its weights.

    Attributes:
        name: the network's name.
        dataset: the data set that it classifies.
        input_shape: C, H, W of an image, or of the spikes of a step.
        classes: the classes' names.
        layers: the hidden layers; an output layer, fully connected, integrating, comes behind.
        timesteps: T, steps per image, or of a recording.
        theta_conv, theta_fc: thresholds of convolutions and of hidden fully connected layers.
        leak: lambda, the share of its membrane that a hidden neuron keeps per step.
        weight_bits: K of the quantised network.
        encoding: how images become inputs (`sw.model.encoding`), or that these are spikes.
        norm: batch norm in the hidden layers; without it they have biases.
        pooling: "or": max pooling of spikes, which the chip can do; "average": software only.
        tick: seconds of a step, into which events became spikes (`sw.data.user.event_list`); None:
            the spikes came as arrays, or the inputs are images.

    Raises:
        InputError: a value is out of range, or the layers do not fit together.
    """

    name: str
    dataset: str
    input_shape: Shape
    classes: tuple[str, ...]
    layers: tuple[LayerSpec, ...]
    timesteps: int = 4
    theta_conv: float = 0.4
    theta_fc: float = 1.0
    leak: float = 0.5
    weight_bits: int = 4
    encoding: Inputs = "direct"
    norm: bool = True
    pooling: Pooling = "or"
    tick: float | None = None

    @property
    def takes_spikes(self) -> bool:
        """Whether its inputs are spikes as they are; False: images."""
        return self.encoding in SPIKES

    @property
    def input_sizes(self) -> tuple[int, ...]:
        """Of one input: C, H, W of an image, or T, C, H, W of spikes."""
        return (self.timesteps, *self.input_shape) if self.takes_spikes else self.input_shape

    def __post_init__(self) -> None:
        where = f"network {self.name}"
        check_shape(f"{where}: input shape", self.input_shape)
        check_range(f"{where}: timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        check_range(f"{where}: weight bits", self.weight_bits, 1, MAX_WEIGHT_BITS)
        for what, chosen, choices in (
            ("encoding", self.encoding, INPUTS),
            ("pooling", self.pooling, get_args(Pooling)),
        ):
            if chosen not in choices:
                raise InputError(f"{where}: {what} is {chosen!r}, must be {' or '.join(choices)}")
        if not isinstance(self.norm, bool):
            raise InputError(f"{where}: norm is {self.norm!r}, must be true or false")
        for what, value, most in (
            ("theta_conv", self.theta_conv, 1e6),
            ("theta_fc", self.theta_fc, 1e6),
            ("leak", self.leak, 1.0),
        ):
            if not 0 < value <= most:
                raise InputError(
                    f"{where}: {what} is {value}, must be above 0 and at most {most:g}"
                )
        if self.tick is not None and not (self.takes_spikes and 0 < self.tick <= MAX_TICK):
            raise InputError(f"{where}: tick is {self.tick}, must be above 0, and of spikes")
        if not self.layers or not self.classes:
            raise InputError(f"{where}: needs a hidden layer and a class")
        self.places()

    def places(self) -> tuple[Place, ...]:
        """The hidden layers, and the output layer behind them, with names and shapes.

        Raises `InputError` where they do not fit together.
        """
        numbers = dict.fromkeys(get_args(LayerKind), 0)
        found: dict[str, Place] = {}
        for number, spec in enumerate((*self.layers, LayerSpec("fc", len(self.classes))), 1):
            where = f"network {self.name}: layer {number}"
            _check_spec(where, spec)
            numbers[spec.kind] += 1
            name = spec.name or f"{spec.kind}{numbers[spec.kind]}"
            if name in (IMAGES, *found):
                raise InputError(f"{where}: another one has the name {name} already")
            if spec.branches and not found and self.encoding != "spikes":
                raise InputError(f"{where}: {ALONE}")
            found[name] = _placed(where, name, spec, found, self.input_shape)
        return tuple(found.values())


def _check_spec(where: str, spec: LayerSpec) -> None:
    if spec.kind not in get_args(LayerKind):
        raise InputError(f"{where}: kind is {spec.kind!r}, must be conv or fc")
    check_range(f"{where}: features", spec.features, 1, MAX_FEATURES)
    for what in ("dilation", "groups"):
        check_range(f"{where}: {what}", getattr(spec, what), 1, MAX_FEATURES)
    if spec.reset not in get_args(SpikeReset):
        raise InputError(f"{where}: reset is {spec.reset!r}, must be zero or subtract")
    if spec.name is not None and not NAME.fullmatch(spec.name):
        raise InputError(f"{where}: name {spec.name!r}: must be a-z, 0-9 and _, as conv_1")
    for what, value, most in (("leak", spec.leak, 1.0), ("theta", spec.theta, 1e6)):
        if value is not None and not 0 < value <= most:
            raise InputError(f"{where}: {what} is {value}, must be above 0 and at most {most:g}")
    if spec.geometry is not None and (spec.geometry.kernel - 1) % spec.dilation:
        raise InputError(f"{where}: a window of {spec.geometry.kernel} has no such dilation")
    if spec.geometry is None and (spec.window or spec.groups > 1 or spec.dilation > 1):
        raise InputError(f"{where}: a fully connected layer has no window, groups or dilation")


def _placed(
    where: str, name: str, spec: LayerSpec, before: dict[str, Place], images: Shape
) -> Place:
    last = list(before)[-1] if before else IMAGES
    inputs = spec.inputs or (last,)
    others = [branch.source for branch in spec.branches if branch.source != name]
    if not before and (inputs != (IMAGES,) or others):
        raise InputError(f"{where}: {ALONE}")
    if before and IMAGES in (*inputs, *others):
        raise InputError(f"{where}: only the first layer takes the images")
    shapes = [images if each == IMAGES else _source(where, each, before).shape for each in inputs]
    if len({shape[not spec.added :] for shape in shapes}) > 1:
        listed = " and ".join(map(str, shapes))
        raise InputError(f"{where}: its inputs are {listed}, which do not fit together")
    channels = shapes[0][0] if spec.added else sum(shape[0] for shape in shapes)
    given = (channels, *shapes[0][1:])
    geometry = spec.geometry
    flat = [each for each in inputs if each in before and before[each].spec.geometry is None]
    if flat and geometry is not None:
        raise InputError(f"{where}: a convolution cannot follow a fully connected layer")
    shape = output_shape(geometry, spec.features, given)
    if min(shape) < 1:
        raise InputError(f"{where}: its window is larger than its inputs {given}")
    if channels % spec.groups or spec.features % spec.groups:
        raise InputError(
            f"{where}: {spec.groups} groups do not divide {channels} channels and"
            f" {spec.features} features"
        )
    weights = spec.features * channels // spec.groups * spec.taps**2
    if geometry is None:
        weights *= given[1] * given[2]
    if weights > MAX_WEIGHTS:
        raise InputError(f"{where}: has {weights} weights, at most {MAX_WEIGHTS}")
    after = shape
    if spec.pool and spec.pool_window is not None:
        after = output_shape(spec.pool_window, spec.features, shape)
        if geometry is None or min(after) < 1 or 2 * spec.pool_window.padding > shape[1]:
            raise InputError(f"{where}: its pooling does not fit {shape}")
    elif spec.pool:
        if geometry is None or not can_be_pooled(shape):
            raise InputError(f"{where}: only an even-sized convolution can be pooled")
        after = pooled_shape(shape)
    branches = tuple(
        _branch_shape(where, branch, after if branch.source == name else None, before, shape)
        for branch in spec.branches
    )
    return Place(name, spec, inputs, given, branches, after)


def _source(where: str, name: str, before: dict[str, Place]) -> Place:
    if name not in before:
        raise InputError(f"{where}: takes the spikes of {name!r}, which is no layer before it")
    return before[name]


def _branch_shape(
    where: str, branch: Branch, own: Shape | None, before: dict[str, Place], shape: Shape
) -> Shape:
    """What a branch takes; `own` is the layer's, if it takes its own spikes."""
    given = own or _source(where, branch.source, before).shape
    if output_shape(branch.window, shape[0], given) != shape:
        raise InputError(
            f"{where}: what {branch.source} gives, {given}, does not fit its own {shape}"
        )
    return given
