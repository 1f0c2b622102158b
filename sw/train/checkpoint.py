"""A trained network as a file: its configuration, how it was trained, float and quantised weights.

Safetensors with JSON: reading one runs no code. A compact one has its weights in few bytes
(`sw.train.compact`).
"""

import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from sw.common.checks import MAX_FEATURES, check_range
from sw.common.errors import InputError
from sw.files import tensorfile
from sw.files.tensorfile import Array, Format
from sw.model.config.layer import Branch, LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.geometry import Geometry
from sw.model.network import SpikingNetwork
from sw.train import compact as compact_form
from sw.train.loop import Trained
from sw.train.settings import Adversarial, TrainSettings

FORMAT = Format("checkpoint", "nc64c-checkpoint-1")
PARTS = ("float", "quantised")

LAYER = ("kind", "features", "pool")  # of each layer; all else is left out as usual

# Came after the first files of this format; left out where they have their defaults, so that the
# same weights and settings still give the same bytes.
LATER = (
    *("norm", "pooling", "tick"),
    *("augment", "fast", "short_epochs", "validation", "start", "adversarial"),
)


@dataclass(frozen=True)
class Checkpoint:
    """Both networks of one training; they have the same configuration.

    Attributes:
        float_network: weights as floats.
        quantised_network: its `weight_bits` is the configuration's.
        settings: how they were trained.
    """

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    settings: TrainSettings

    @property
    def config(self) -> NetworkConfig:
        return self.quantised_network.config


def save(
    path: Path, trained: Trained | Checkpoint, settings: TrainSettings, *, compact: bool = False
) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: the file.
        trained: both networks; one that was read from a compact file is written as one.
        settings: how they were trained.
        compact: the quantised weights as codes, which loses nothing of that network, and the float
            ones as float16, which rounds them.

    Raises:
        InputError: the file cannot be written, or a float weight is too large for float16.
    """
    config = trained.quantised_network.config
    document: dict[str, Any] = {"network": _fields(config), "training": _fields(settings)}
    compact = compact or compact_form.is_scaled(trained.quantised_network)
    if compact:
        document["compact"] = True
    tensors: dict[str, Array] = {}
    for part, network in zip(
        PARTS, (trained.float_network, trained.quantised_network), strict=True
    ):
        state = compact_form.pack(network) if compact else _state(network)
        tensors |= {f"{part}.{name}": array for name, array in state.items()}
    tensorfile.write(path, FORMAT, document, tensors)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; every size is checked before its memory is taken.

    Returns:
        Both networks, in evaluation mode.

    Raises:
        InputError: the file is missing, truncated, foreign or damaged, has NaN, or holds another
            network than it says.
    """
    document = tensorfile.read_document(path, FORMAT)
    try:
        _check_known(path, document)
        config = _config(document["network"])
        settings = _settings(document["training"])
        compact = document.get("compact", False) is True
    except InputError as error:
        raise (
            error if str(path) in str(error) else InputError(f"checkpoint {path}: {error}")
        ) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"checkpoint {path}: its description is damaged ({error!r})") from error
    layout = _layout(config, compact)
    tensors = tensorfile.read_tensors(path, FORMAT, layout)
    for name, array in tensors.items():
        if name.endswith("running_var") and array.min() < 0:
            raise InputError(f"checkpoint {path}: tensor {name} is a variance, but below 0")
    float_network, quantised_network = (
        SpikingNetwork(config, bits) for bits in (None, config.weight_bits)
    )
    for part, network in zip(PARTS, (float_network, quantised_network), strict=True):
        prefix = f"{part}."
        state = {
            name.removeprefix(prefix): array
            for name, array in tensors.items()
            if name.startswith(prefix)
        }
        if compact:
            state = compact_form.unpack(network, state, f"checkpoint {path}")
        network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return Checkpoint(float_network.eval(), quantised_network.eval(), settings)


def load_bytes(content: bytes) -> Checkpoint:
    """The same of a checkpoint that is no file here, such as another machine's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        path.write_bytes(content)
        return load(path)


def _layout(config: NetworkConfig, compact: bool) -> tensorfile.Layout:
    """The tensors that a checkpoint of this network has."""
    layout: tensorfile.Layout = {}
    for part, bits in zip(PARTS, (None, config.weight_bits), strict=True):
        with torch.device("meta"):  # shapes and types, but no memory yet
            network = SpikingNetwork(config, bits)
        entries = {
            name: (_type_name(value), tuple(value.shape))
            for name, value in network.state_dict().items()
        }
        if compact:
            entries |= compact_form.layout(network)
        layout |= {f"{part}.{name}": entry for name, entry in entries.items()}
    return layout


def _state(network: SpikingNetwork) -> dict[str, Array]:
    return {name: value.numpy() for name, value in network.state_dict().items()}


def _check_known(path: Path, document: dict[str, Any]) -> None:
    """Settings came one by one: raises `InputError` for one from a newer version of the program."""
    what = f"checkpoint {path}"
    tensorfile.check_known(what, document, ("network", "training", "compact"))
    for part, kind in (("network", NetworkConfig), ("training", TrainSettings)):
        tensorfile.check_known(what, document[part], [field.name for field in fields(kind)])
    attacked = document["training"].get("adversarial") or {}
    tensorfile.check_known(what, attacked, [field.name for field in fields(Adversarial)])
    for layer in document["network"]["layers"]:
        tensorfile.check_known(what, layer, [field.name for field in fields(LayerSpec)])


def _config(fields: dict[str, Any]) -> NetworkConfig:
    """A configuration from JSON, where tuples are lists; it checks its own values."""
    layers = tuple(map(_layer, fields["layers"]))
    shape, classes = tuple(fields["input_shape"]), tuple(fields["classes"])
    return NetworkConfig(**fields | {"layers": layers, "input_shape": shape, "classes": classes})


def _settings(fields: dict[str, Any]) -> TrainSettings:
    """How a network was trained, from JSON."""
    attacked = fields.get("adversarial")
    given = None if attacked is None else Adversarial(**attacked)
    return TrainSettings(**fields | {"adversarial": given})


def _fields(values: NetworkConfig | TrainSettings) -> dict[str, Any]:
    defaults = {entry.name: entry.default for entry in fields(values)}
    found = {
        name: value
        for name, value in asdict(values).items()
        if name not in LATER or value != defaults[name]
    }
    if isinstance(values, NetworkConfig):
        usual = asdict(LayerSpec("conv", 1))
        found["layers"] = [
            {name: value for name, value in layer.items() if name in LAYER or value != usual[name]}
            for layer in found["layers"]
        ]
    return found


def _layer(fields: dict[str, Any]) -> LayerSpec:
    """A layer from JSON."""
    branches = tuple(
        Branch(**branch | {"window": _window(branch.get("window"))})
        for branch in fields.get("branches", ())
    )
    windows = {name: _window(fields.get(name)) for name in ("window", "pool_window")}
    inputs = tuple(fields.get("inputs", ()))
    return LayerSpec(**fields | windows | {"branches": branches, "inputs": inputs})


def _window(numbers: dict[str, int] | None) -> Geometry | None:
    if numbers is None:
        return None
    for name, number in numbers.items():
        check_range(f"a window's {name}", number, 0, MAX_FEATURES)
    return Geometry(**numbers)


def _type_name(value: torch.Tensor) -> str:
    return tensorfile.TYPE_NAMES[str(value.dtype).removeprefix("torch.")]
