"""Which networks and cells an experiment needs."""

from dataclasses import dataclass
from typing import Literal, get_args

from sw.attack.attacks import Attack
from sw.attack.gradient import Gradient
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS, named
from sw.model.config import Encoding, NetworkConfig
from sw.paper.cells import Cell, Training, Weights, fingerprint
from sw.paper.presets import Scale, Way

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


def _attacks(scale: Scale, way: Way, encoding: Encoding) -> tuple[Attack, ...]:
    """FGSM with the gradient of a way, by its name: equal attacks must be equal cells."""
    exact = encoding == "direct" and way != "approximated"
    gradient: Gradient = "autograd" if exact else "approximated"
    return tuple(Attack("fgsm", eps, gradient=gradient) for eps in scale.eps)


def _config(
    experiment: Experiment, scale: Scale, images: Dataset, encoding: Encoding, theta: float
) -> NetworkConfig:
    _, channels, height, width = images.images.shape
    like = NetworkConfig(
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
    return named(NETWORKS[experiment], like, width=scale.width, fc_width=scale.fc_width)
