"""The integer network as a file, and all that goes with it: the one door out of `sw`."""

from pathlib import Path
from typing import Any

from sw.common.checks import MAX_FEATURES, check_range, check_shape
from sw.common.errors import InputError
from sw.files import tensorfile
from sw.files.tensorfile import Format, Layout
from sw.integer.arm import Arm, fan_in_of, output_shape_of
from sw.integer.network import IntegerLayer, IntegerNetwork, window_of
from sw.integer.window import Window

FORMAT = Format("network file", "nc64c-network-1")
ARRAYS = ("weights", "threshold", "bias")
DOCUMENT = ("name", "dataset", "encoding", "timesteps", "classes", "input_shape", "layers")
SETTINGS = ("name", "kind", "weight_bits", "fraction_bits", "leak", "reset", "spiking", "pool")
LAYER = (*SETTINGS, "input_shape", "features")
# Of layers that a network trained here does not have:
MORE = ("window", "code", "sources", "beside", "threshold_by_neuron", "bias_by_neuron")
ARM = ("window", "input_shape", "sources")


def save(path: Path, network: IntegerNetwork) -> None:
    """Write a network as a safetensors file, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    document = {
        "name": network.name,
        "dataset": network.dataset,
        "encoding": network.encoding,
        "timesteps": network.timesteps,
        "classes": network.classes,
        "input_shape": network.input_shape,
        "layers": [
            {setting: getattr(layer, setting) for setting in SETTINGS}
            | {"input_shape": layer.input_shape, "features": layer.features}
            | _more(layer)
            for layer in network.layers
        ],
    }
    tensors = {
        f"{layer.name}.{array}": getattr(layer, array)
        for layer in network.layers
        for array in ARRAYS
    }
    for layer in network.layers:
        for number, arm in enumerate(layer.beside):
            tensors[_beside(layer.name, number)] = arm.weights
    tensorfile.write(path, FORMAT, document, tensors)


def load(path: Path) -> IntegerNetwork:
    """Read a network; every size is checked before its memory is taken.

    Raises:
        InputError: the file is missing, truncated, foreign or damaged, or holds no valid network.
    """
    document = tensorfile.read_document(path, FORMAT)
    try:
        tensorfile.check_known(f"network file {path}", document, DOCUMENT)
        for settings in document["layers"]:
            tensorfile.check_known(f"network file {path}", settings, (*LAYER, *MORE))
        expected: Layout = {}
        for settings in document["layers"]:
            expected |= _layer_layout(settings)
        tensors = tensorfile.read_tensors(path, FORMAT, expected)
        layers = []
        for settings in document["layers"]:
            arrays = {array: tensors[f"{settings['name']}.{array}"] for array in ARRAYS}
            fields: dict[str, Any] = {setting: settings[setting] for setting in SETTINGS}
            fields |= arrays | {"input_shape": tuple(settings["input_shape"])}
            fields |= _more_fields(settings)
            fields["beside"] = _arms(settings, tensors)
            layers.append(IntegerLayer(**fields))
        return IntegerNetwork(
            name=document["name"],
            dataset=document["dataset"],
            encoding=document["encoding"],
            timesteps=document["timesteps"],
            classes=tuple(document["classes"]),
            layers=tuple(layers),
        )
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"network file {path}: its description is damaged ({error!r})") from error


def _beside(layer: str, number: int) -> str:
    """The name of the weights of an arm."""
    return f"{layer}.beside{number}.weights"


def _more(layer: IntegerLayer) -> dict[str, Any]:
    """The settings of `MORE` that are not as in a network trained here."""
    more: dict[str, Any] = {} if layer.window is None else {"window": layer.window.numbers}
    if layer.code != "odd":
        more["code"] = layer.code
    if layer.sources:
        more["sources"] = layer.sources
    if layer.beside:
        more["beside"] = [
            {
                "window": None if arm.window is None else arm.window.numbers,
                "input_shape": arm.input_shape,
                "sources": arm.sources,
            }
            for arm in layer.beside
        ]
    by_neuron = {f"{name}_by_neuron": getattr(layer, name).ndim > 1 for name in ARRAYS[1:]}
    return more | {name: True for name, there in by_neuron.items() if there}


def _more_fields(settings: dict[str, Any]) -> dict[str, Any]:
    """The same as fields of a layer, but for arms and arrays."""
    more: dict[str, Any] = {name: settings[name] for name in MORE[:3] if name in settings}
    where = f"layer {settings['name']}"
    if "window" in more:
        more["window"] = Window.of(where, more["window"])
    if "sources" in more:
        more["sources"] = _sources(where, more["sources"])
    return more


def _sources(where: str, names: object) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{where}: sources must be names of layers")
    return tuple(names)


def _arm_fields(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The arms beside a layer's own weights, as fields, without their weights."""
    where = f"layer {settings['name']}"
    found = []
    for arm in settings.get("beside", []):
        tensorfile.check_known(where, arm, ARM)
        window = None if arm["window"] is None else Window.of(where, arm["window"])
        shape = tuple(arm["input_shape"])
        check_shape(f"{where}: input shape", shape)
        sources = _sources(where, arm["sources"])
        found.append({"window": window, "input_shape": shape, "sources": sources})
    return found


def _arms(settings: dict[str, Any], tensors: dict[str, Any]) -> tuple[Arm, ...]:
    return tuple(
        Arm(weights=tensors[_beside(settings["name"], number)], **fields)
        for number, fields in enumerate(_arm_fields(settings))
    )


def _layer_layout(settings: dict[str, Any]) -> Layout:
    """The tensors that a layer of these settings has."""
    where, name = f"layer {settings['name']}", settings["name"]
    shape, features = tuple(settings["input_shape"]), settings["features"]
    check_shape(f"{where}: input shape", shape)
    check_range(f"{where}: features", features, 1, MAX_FEATURES)
    window = _more_fields(settings).get("window") or window_of(settings["kind"])
    layout: Layout = {f"{name}.weights": ("I32", (features, *fan_in_of(window, shape)))}
    for number, arm in enumerate(_arm_fields(settings)):
        fan_in = fan_in_of(arm["window"], arm["input_shape"])
        layout[_beside(name, number)] = ("I32", (features, *fan_in))
    outputs = output_shape_of(window, features, shape)
    for array in ARRAYS[1:]:
        by_neuron = settings.get(f"{array}_by_neuron", False)
        layout[f"{name}.{array}"] = ("I64", outputs if by_neuron else (features,))
    return layout
