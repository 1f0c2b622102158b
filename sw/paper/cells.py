"""Cells: what an experiment measures one at a time, which it needs, and the files that keep them.

A cell is named by a hash of everything that goes into it, so an experiment that was cut off finds
what it had finished, and two experiments in the same folder share what is the same.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sw.attack.attacks import Attack
from sw.attack.gradient.way import Pixels
from sw.common.errors import InputError, reason
from sw.data.dataset import Dataset
from sw.files import store
from sw.files.atomic import atomic_write
from sw.files.store import Result as Result
from sw.model.architectures import DIGITS, named
from sw.model.config.inputs import Encoding, Inputs
from sw.model.config.network import NetworkConfig
from sw.paper.presets import Scale, Way
from sw.train.settings import TrainSettings

VERSION = 1  # counts up when the same settings come to mean another result

# Settings that came after the first cells, and what they then were; left out where they still are
# that, so that finished cells keep their names.
LATER: dict[str, Any] = {"adversarial": None, "way": None, "until_fooled": False}

Weights = Literal["float", "quantised"]


@dataclass(frozen=True)
class Training:
    """A network to train, float and quantised.

    Attributes:
        network: what it is.
        settings: how it is trained.
        images: `fingerprint` of the training images.
    """

    network: NetworkConfig
    settings: TrainSettings
    images: str


@dataclass(frozen=True)
class Cell:
    """Attacks on a trained network, and what they do to its answers and spikes.

    Attributes:
        target: the network that answers.
        weights: which of its two.
        attacks: FGSM at each strength; the images are named "fgsm_EPS".
        attacker: the attack model, of which the same weights are taken; None: the target itself.
        images: `fingerprint` of the test images.
    """

    target: Training
    weights: Weights
    attacks: tuple[Attack, ...]
    attacker: Training | None
    images: str


Task = Training | Cell


def settings(task: Task) -> dict[str, Any]:
    """All that goes into a task, as JSON has it."""
    content = {
        "kind": type(task).__name__.lower(),
        "version": VERSION,
        **asdict(task, dict_factory=_said),
    }
    parsed: dict[str, Any] = json.loads(json.dumps(content))
    return parsed


def _said(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields if name not in LATER or value != LATER[name]}


def key(task: Task) -> str:
    """The task's name: 16 hexadecimal digits, of a hash of its settings."""
    return store.key(settings(task))


def fingerprint(dataset: Dataset) -> str:
    """A hash of a data set's images and labels, in order."""
    digest = hashlib.sha256(repr((dataset.name, dataset.images.shape)).encode())
    digest.update(dataset.images.tobytes())
    digest.update(dataset.labels.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


class Store:
    """The finished cells of a folder: `cells/KEY.json`, and `networks/KEY.safetensors`.

    Raises:
        InputError: the folders cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._cells, self._networks = store.Store(folder / "cells", "cell"), folder / "networks"
        try:
            for path in (self._cells.folder, self._networks):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make output folder {folder}: {reason(error)}") from error

    def save(self, task: Task, result: Result, network: bytes | None = None) -> None:
        """Keep a finished task; each file is written whole or not at all, the network first."""
        if network is not None:
            result = {**result, "sha256": hashlib.sha256(network).hexdigest()}
            atomic_write(self._network(task), network)
        self._cells.save(settings(task), result)
        for left in self._networks.glob(f"{key(task)}.*"):
            if left != self._network(task):  # the state of the training, now done
                left.unlink(missing_ok=True)

    def load(self, task: Task) -> Result | None:
        """What a task gave, if it is finished.

        Raises:
            InputError: its file is there, but damaged; the sentence says how.
        """
        result = self._cells.load(settings(task))
        if result is not None and "sha256" in result:
            self.network(task, result)
        return result

    def network(self, task: Task, result: Result) -> bytes:
        """A trained network's checkpoint; raises `InputError` if it is not what was written."""
        path = self._network(task)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"network {path} of a finished cell cannot be read") from error
        if hashlib.sha256(content).hexdigest() != result["sha256"]:
            raise InputError(f"network {path} is damaged: its content is not what was written")
        return content

    def state(self, task: Training) -> Path:
        """Where a training may leave what it takes to go on."""
        return self._networks / f"{key(task)}.state"

    def _network(self, task: Task) -> Path:
        return self._networks / f"{key(task)}.safetensors"


Experiment = Literal["table1", "table2", "table3", "table4", "figure3", "figure4"]

EXPERIMENTS: tuple[Experiment, ...] = get_args(Experiment)
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
NETWORKS: dict[Experiment, str] = dict.fromkeys(EXPERIMENTS, "vgg9") | {"table1": "vgg5"}


@dataclass(frozen=True)
class Place:
    """Where a cell stands in an experiment's tables."""

    encoding: Encoding
    theta: float
    weights: Weights
    way: Way


def grid(experiment: Experiment, scale: Scale, train: Dataset, test: Dataset) -> dict[Place, Cell]:
    """An experiment's cells. Two places may have the same one: where a way of attack is another.

    Args:
        experiment: its name.
        scale: its size.
        train, test: the images that `scale` takes.

    Raises:
        InputError: the images do not fit the network.
    """
    thetas = scale.thetas[:1] if experiment == "table1" else scale.thetas
    learnt, shown = fingerprint(train), fingerprint(test)
    cells = {}
    for theta in thetas:
        networks = {
            encoding: Training(
                _config(experiment, scale, train, encoding, theta),
                scale.training(scale.seed),
                learnt,
            )
            for encoding in scale.encodings
        }
        model = Training(
            _config(experiment, scale, train, "direct", theta),
            scale.training(scale.seed + 1),
            learnt,
        )
        for encoding, target in networks.items():
            for weights in WEIGHTS:
                for way in scale.ways:
                    attacker = model if way == "transfer" else None
                    source = model if attacker else target
                    attacks = _attacks(scale, way, source.network.encoding)
                    place = Place(encoding, theta, weights, way)
                    cells[place] = Cell(target, weights, attacks, attacker, shown)
    return cells


def trainings(cells: dict[Place, Cell]) -> list[Training]:
    """The networks that cells need, each once, in the order of their need."""
    needed = [
        network
        for cell in cells.values()
        for network in (cell.target, cell.attacker)
        if network is not None
    ]
    return list(dict.fromkeys(needed))


def _attacks(scale: Scale, way: Way, encoding: Inputs) -> tuple[Attack, ...]:
    """FGSM with the gradient of a way, by its name: equal attacks must be equal cells."""
    exact = encoding == "direct" and way != "approximated"
    gradient: Pixels = "autograd" if exact else "approximated"
    return tuple(Attack("fgsm", eps, gradient=gradient) for eps in scale.eps)


def _config(
    experiment: Experiment, scale: Scale, images: Dataset, encoding: Encoding, theta: float
) -> NetworkConfig:
    like = config_like(scale, images, encoding, theta)
    return named(NETWORKS[experiment], like, width=scale.width, fc_width=scale.fc_width)


def config_like(scale: Scale, images: Dataset, encoding: Encoding, theta: float) -> NetworkConfig:
    """All of a network but its layers."""
    _, channels, height, width = images.images.shape
    return NetworkConfig(
        name="like",
        dataset=images.name,
        input_shape=(channels, height, width),
        classes=images.classes,
        layers=DIGITS.layers[:1],
        timesteps=scale.timesteps,
        theta_conv=theta,
        weight_bits=scale.weight_bits,
        encoding=encoding,
    )
