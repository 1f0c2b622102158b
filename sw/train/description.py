"""A network's layers from a TOML description: a table `[[layer]]` for each hidden layer."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from sw.common.errors import InputError
from sw.common.typed import Misfit, typed
from sw.files.bounded import read_at_most
from sw.model.config.layer import Branch, LayerSpec, SpikeReset
from sw.model.config.network import NetworkConfig
from sw.model.config.place import Place
from sw.model.geometry import POOLING, Geometry, output_shape

MAX_BYTES = 1 << 20
STRIDES = (1, 2, 4, 8)  # of a shortcut: the least that fits


class _Layer(msgspec.Struct, forbid_unknown_fields=True):
    """A table of the file; docs/own-network.md says what each key means."""

    kind: Literal["conv", "fc"]
    features: int = 0
    name: str | None = None
    kernel: int = 3
    stride: int = 1
    padding: int | None = None
    dilation: int = 1
    groups: int = 1
    depthwise: bool = False
    pointwise: bool = False
    pool: bool | int = False
    pool_stride: int | None = None
    pool_padding: int = 0
    inputs: list[str] = []
    add: list[str] = []
    shortcut: list[str] | str = []
    recurrent: bool = False
    neuron: Literal["lif", "if"] = "lif"
    leak: float | None = None
    reset: SpikeReset = "zero"
    theta: float | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    layer: list[_Layer]
    name: str = "described"


def described(path: Path, like: NetworkConfig) -> NetworkConfig:
    """The network of a description, for the images, classes and settings of another configuration.

    Raises `InputError`, in a sentence, for a file that cannot be read or says no such network.
    """
    try:
        found = typed(_tables(path), _File)
        config = replace(like, name=found.name, layers=(LayerSpec("fc", 1),))
        layers: list[LayerSpec] = []
        for number, layer in enumerate(found.layer, 1):
            layers.append(_spec(f"layer {number}", layer, config, tuple(layers)))
        return replace(config, layers=tuple(layers))
    except Misfit as error:
        raise InputError(f"description {path}: {error}") from error
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error


def _tables(path: Path) -> dict[str, Any]:
    content = read_at_most(path, MAX_BYTES, "description")
    try:
        found = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"description {path}: is no TOML: {error}") from error
    if "layer" not in found:
        raise InputError(
            f"description {path}: has no layer, must have a table [[layer]] for each hidden one"
        )
    return found


def _spec(
    where: str, layer: _Layer, config: NetworkConfig, before: tuple[LayerSpec, ...]
) -> LayerSpec:
    """A layer behind those before it."""
    if layer.inputs and layer.add:
        raise InputError(f"{where}: has inputs and add, must have one of them")
    if layer.neuron == "if" and layer.leak is not None:
        raise InputError(f"{where}: an if neuron has no leak, must be lif to have one")
    if layer.features < 1 and not layer.depthwise:
        raise InputError(f"{where}: features: is {layer.features}, must be 1 or more")
    spec = LayerSpec(
        kind=layer.kind,
        features=max(layer.features, 1),
        pool=bool(layer.pool),
        pool_window=_pool(where, layer),
        window=_window(where, layer),
        dilation=layer.dilation,
        name=layer.name,
        inputs=tuple(layer.inputs or layer.add),
        added=bool(layer.add),
        reset=layer.reset,
        leak=1.0 if layer.neuron == "if" else layer.leak,
        theta=layer.theta,
    )
    plain = _place(config, before, spec)
    channels = plain.input_shape[0]
    groups = channels if layer.depthwise else layer.groups
    features = layer.features or channels
    spec = replace(spec, groups=groups, features=features)
    return replace(spec, branches=_branches(where, layer, config, (*before, spec)))


def _window(where: str, layer: _Layer) -> Geometry | None:
    """None of a fully connected layer, and of the paper's convolution."""
    convolution = (layer.kernel, layer.stride, layer.padding, layer.dilation)
    if layer.kind == "fc":
        wrong = layer.depthwise or layer.pointwise or layer.groups != 1 or layer.pool
        if wrong or convolution != (3, 1, None, 1):
            raise InputError(
                f"{where}: is fully connected, so it has no kernel, stride, padding, dilation,"
                " groups or pool"
            )
        return None
    if layer.depthwise and (layer.pointwise or layer.groups != 1):
        raise InputError(f"{where}: is depthwise, so it is not pointwise and has no groups")
    kernel = 1 if layer.pointwise else layer.kernel
    if kernel < 1 or layer.dilation < 1:
        raise InputError(f"{where}: kernel and dilation must be 1 or more")
    size = (kernel - 1) * layer.dilation + 1
    padding = size // 2 if layer.padding is None else layer.padding
    try:
        window = Geometry(size, layer.stride, padding)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    return None if (window, layer.dilation) == (Geometry(3, padding=1), 1) else window


def _pool(where: str, layer: _Layer) -> Geometry | None:
    """None of none, and of 2 x 2, which costs nothing."""
    if not layer.pool:
        if layer.pool_stride is not None or layer.pool_padding:
            raise InputError(f"{where}: has the stride or padding of a pool, but no pool")
        return None
    kernel = 2 if layer.pool is True else layer.pool
    stride = kernel if layer.pool_stride is None else layer.pool_stride
    if 2 * layer.pool_padding > kernel:
        raise InputError(f"{where}: pool_padding {layer.pool_padding}: at most half the pool")
    try:
        window = Geometry(kernel, stride, layer.pool_padding)
    except ValueError as error:
        raise InputError(f"{where}: pool: {error}") from error
    return None if window == POOLING else window


def _place(config: NetworkConfig, before: tuple[LayerSpec, ...], spec: LayerSpec) -> Place:
    *_, found, _ = replace(config, layers=(*before, spec)).places()
    return found


def _branches(
    where: str, layer: _Layer, config: NetworkConfig, every: tuple[LayerSpec, ...]
) -> tuple[Branch, ...]:
    """Shortcuts, and the layer's own spikes."""
    *before, itself, _ = replace(config, layers=every).places()
    shapes = {place.name: place.shape for place in before}
    names = [layer.shortcut] if isinstance(layer.shortcut, str) else layer.shortcut
    found = []
    for name in names:
        if name not in shapes:
            raise InputError(f"{where}: has a shortcut from {name!r}, which is no layer before it")
        spec, given = itself.spec, shapes[name]
        wanted = output_shape(spec.geometry, spec.features, itself.input_shape)
        windows = [None] if layer.kind == "fc" else [Geometry(1, stride) for stride in STRIDES]
        fits = [each for each in windows if output_shape(each, wanted[0], given) == wanted]
        if not fits:
            raise InputError(f"{where}: what {name} gives, {given}, cannot be added to {wanted}")
        found.append(Branch(name, fits[0]))
    if layer.recurrent:
        if layer.pool:
            raise InputError(f"{where}: is recurrent and pooled, must be one of them")
        way = None if layer.kind == "fc" else Geometry(3, padding=1)
        found.append(Branch(itself.name, way))
    return tuple(found)
