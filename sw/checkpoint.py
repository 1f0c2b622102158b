"""A trained network as a file: its configuration, how it was trained, float and quantised weights.

Safetensors with JSON: reading one runs no code.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from sw import tensorfile
from sw.errors import InputError
from sw.model import LayerSpec, NetworkConfig, SpikingNetwork
from sw.settings import TrainSettings
from sw.tensorfile import Array, Format
from sw.train import Trained

FORMAT = Format("checkpoint", "nc64c-checkpoint-1")
PARTS = ("float", "quantised")

# Came after the first files of this format; left out where they have their defaults, so that the
# same training still gives the same bytes.
LATER = ("norm", "pooling", "augment", "fast", "short_epochs", "validation")


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


def save(path: Path, trained: Trained, settings: TrainSettings) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    config = trained.quantised_network.config
    document = {"network": _fields(config), "training": _fields(settings)}
    tensors: dict[str, Array] = {}
    for part, network in zip(
        PARTS, (trained.float_network, trained.quantised_network), strict=True
    ):
        state = network.state_dict()
        tensors |= {f"{part}.{name}": value.numpy() for name, value in state.items()}
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
        config = _config(document["network"])
        settings = TrainSettings(**document["training"])
    except InputError as error:
        raise InputError(f"checkpoint {path}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"checkpoint {path}: its description is damaged ({error!r})") from error
    with torch.device("meta"):  # shapes and types, but no memory yet
        state = SpikingNetwork(config).state_dict()
    expected = {
        f"{part}.{name}": (_type_name(value), tuple(value.shape))
        for part in PARTS
        for name, value in state.items()
    }
    tensors = tensorfile.read_tensors(path, FORMAT, expected)
    for name, array in tensors.items():
        if name.endswith("running_var") and array.min() < 0:
            raise InputError(f"checkpoint {path}: tensor {name} is a variance, but below 0")
    return Checkpoint(
        _network(config, None, "float", tensors),
        _network(config, config.weight_bits, "quantised", tensors),
        settings,
    )


def _network(
    config: NetworkConfig, weight_bits: int | None, part: str, tensors: dict[str, Array]
) -> SpikingNetwork:
    network = SpikingNetwork(config, weight_bits)
    names = network.state_dict().keys()
    network.load_state_dict({name: torch.from_numpy(tensors[f"{part}.{name}"]) for name in names})
    return network.eval()


def _config(fields: dict[str, Any]) -> NetworkConfig:
    """A configuration from JSON, where tuples are lists; it checks its own values."""
    layers = tuple(LayerSpec(**layer) for layer in fields["layers"])
    shape, classes = tuple(fields["input_shape"]), tuple(fields["classes"])
    return NetworkConfig(**fields | {"layers": layers, "input_shape": shape, "classes": classes})


def _fields(values: NetworkConfig | TrainSettings) -> dict[str, Any]:
    defaults = {entry.name: entry.default for entry in fields(values)}
    return {
        name: value
        for name, value in asdict(values).items()
        if name not in LATER or value != defaults[name]
    }


def _type_name(value: torch.Tensor) -> str:
    return tensorfile.TYPE_NAMES[str(value.dtype).removeprefix("torch.")]
