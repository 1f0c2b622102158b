"""Layers in floats as a file, so that a run can show what each change costs on its own inputs."""

import hashlib
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from sw.common.checks import MAX_FEATURES
from sw.common.errors import InputError
from sw.common.typed import Misfit, plain, typed
from sw.convert.decisions import Decisions, Fires
from sw.convert.float_layer import FloatArm, FloatLayer
from sw.convert.kept.contract import Contract
from sw.convert.kept.imported import Imported
from sw.convert.linear_map import LinearMap
from sw.convert.quantise import Tuning
from sw.files import tensorfile
from sw.files.tensorfile import Array, Format, Layout
from sw.integer.network import IntegerLayer, IntegerNetwork, Reset
from sw.integer.window import Window

FORMAT = Format("file of floats", "nc64c-floats-1")
Size = Annotated[int, Meta(ge=1, le=MAX_FEATURES)]
Sizes = tuple[Size, Size, Size]


class ArmRecord(Struct, frozen=True):
    """An arm but for its arrays."""

    sources: list[str]
    inputs: Sizes
    window: list[int] | None


class LayerRecord(Struct, frozen=True):
    """A layer but for its arrays; one threshold and bias for each channel, or for each neuron."""

    name: str
    features: Size
    thresholds: Annotated[list[Size], Meta(min_length=1, max_length=3)]
    keep: Annotated[float, Meta(ge=0, le=1)]
    spiking: bool
    reset: Reset
    fires: Fires
    late: bool
    pool: bool
    unit: Annotated[float, Meta(gt=0)] | None
    trained: bool
    arms: Annotated[list[ArmRecord], Meta(min_length=1)]
    biases: Annotated[list[Size], Meta(min_length=3, max_length=3)] | None = None


class Document(Struct, frozen=True):
    """What the file says; `network` is the SHA-256 of the network file that it belongs to."""

    network: str
    origin: Literal["file", "framework"]
    decisions: dict[str, Any]
    contract: Contract
    layers: Annotated[list[LayerRecord], Meta(min_length=1)]


def write(path: Path, found: Imported, network_file: Path) -> None:
    """Writes the floats of an import beside its network file. Raises `InputError`."""
    document = {
        "network": digest(network_file),
        "origin": found.origin,
        "decisions": asdict(found.decisions),
        "contract": found.document,
        "layers": [_record(layer, found.tunings.get(layer.name)) for layer in found.floats],
    }
    arrays: dict[str, Array] = {}
    for at, layer in enumerate(found.floats):
        arrays[f"{at}.threshold"] = layer.threshold
        arrays[f"{at}.bias"] = layer.drive.bias
        for number, arm in enumerate(layer.arms):
            arrays[f"{at}.{number}.weights"] = arm.drive.weights
        if layer.name in found.tunings:
            tuning = found.tunings[layer.name]
            arrays[f"{at}.shift"] = tuning.shift
            if tuning.codes is not None:
                arrays[f"{at}.codes"] = tuning.codes
    tensorfile.write(path, FORMAT, document, arrays)


def read(path: Path, network_file: Path, network: IntegerNetwork) -> Imported:
    """The import that a network is of. Raises `InputError` if the file is damaged, or another's."""
    damaged = f"{FORMAT.noun} {path} is damaged"
    content = tensorfile.read_document(path, FORMAT)
    try:
        document = typed(content, Document)
        decisions = typed(document.decisions, Decisions)
    except Misfit as error:
        raise InputError(f"{damaged} at {error}: import the network again") from error
    if document.network != digest(network_file):
        raise InputError(
            f"{FORMAT.noun} {path} is of another network than {network_file}: take it away"
        )
    if [_form(each) for each in document.layers] != [_form_of(each) for each in network.layers]:
        raise InputError(f"{damaged}: its layers are others than those of {network_file}")
    layout: Layout = {}
    windows = []
    for at, layer in enumerate(document.layers):
        layout[f"{at}.threshold"] = ("F64", tuple(layer.thresholds))
        layout[f"{at}.bias"] = ("F64", tuple(layer.biases or [layer.features]))
        if layer.unit is not None:
            layout[f"{at}.shift"] = layout[f"{at}.bias"]
        ways = [
            None if arm.window is None else Window.of(f"{path}, layer {layer.name}", arm.window)
            for arm in layer.arms
        ]
        every = 0
        for number, (arm, window) in enumerate(zip(layer.arms, ways, strict=True)):
            fan_in = (math.prod(arm.inputs),) if window is None else window.fan_in(arm.inputs)
            layout[f"{at}.{number}.weights"] = ("F64", (layer.features, *fan_in))
            every += math.prod(fan_in)
        if layer.trained:
            layout[f"{at}.codes"] = ("I32", (layer.features, every))
        windows.append(ways)
    arrays = tensorfile.read_tensors(path, FORMAT, layout)
    floats = tuple(
        _layer(str(at), layer, ways, arrays)
        for at, (layer, ways) in enumerate(zip(document.layers, windows, strict=True))
    )
    tunings = {
        layer.name: Tuning(layer.unit, arrays[f"{at}.shift"], arrays.get(f"{at}.codes"))
        for at, layer in enumerate(document.layers)
        if layer.unit is not None
    }
    contract = plain(document.contract)
    return Imported(floats, network, contract, decisions, document.origin, tunings)


def _form(record: LayerRecord) -> tuple[Any, ...]:
    """All that a layer in floats has in common with the one in integers."""
    arms = [(tuple(arm.sources), arm.inputs, arm.window) for arm in record.arms]
    each = record.thresholds, record.biases or [record.features]
    return record.name, record.features, *each, record.spiking, record.pool, arms


def _form_of(layer: IntegerLayer) -> tuple[Any, ...]:
    arms = [
        (
            arm.sources,
            tuple(arm.input_shape),
            None if arm.window is None else list(arm.window.numbers),
        )
        for arm in layer.arms
    ]
    each = list(layer.threshold.shape), list(layer.bias.shape)
    return layer.name, layer.features, *each, layer.spiking, layer.pool, arms


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises `InputError` if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _record(layer: FloatLayer, tuning: Tuning | None) -> dict[str, Any]:
    return {
        "name": layer.name,
        "features": len(layer.drive.weights),
        "thresholds": list(layer.threshold.shape),
        "biases": None if layer.drive.bias.ndim == 1 else list(layer.drive.bias.shape),
        "keep": layer.keep,
        "spiking": layer.spiking,
        "reset": layer.reset,
        "fires": layer.fires,
        "late": layer.late,
        "pool": layer.pool,
        "unit": None if tuning is None else tuning.unit,
        "trained": tuning is not None and tuning.codes is not None,
        "arms": [
            {
                "sources": list(arm.sources),
                "inputs": list(arm.drive.inputs),
                "window": None if arm.drive.window is None else list(arm.drive.window.numbers),
            }
            for arm in layer.arms
        ],
    }


def _layer(
    at: str, record: LayerRecord, windows: list[Window | None], arrays: dict[str, Array]
) -> FloatLayer:
    bias = arrays[f"{at}.bias"]
    arms = []
    for number, (arm, window) in enumerate(zip(record.arms, windows, strict=True)):
        weights = arrays[f"{at}.{number}.weights"]
        drive = LinearMap(weights, 0 * bias if number else bias, window, arm.inputs)
        arms.append(FloatArm(tuple(arm.sources), drive))
    return FloatLayer(
        record.name,
        arms[0].sources,
        arms[0].drive,
        record.keep,
        arrays[f"{at}.threshold"],
        record.spiking,
        reset=record.reset,
        fires=record.fires,
        late=record.late,
        pool=record.pool,
        beside=tuple(arms[1:]),
    )
