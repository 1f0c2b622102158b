"""How large an experiment is: presets, and the TOML file that changes one."""

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from sw.attack.attacks import Attack
from sw.common.checks import check_choice, check_range, shown
from sw.common.errors import InputError, reason
from sw.data.dataset import Dataset
from sw.model.config.inputs import Encoding
from sw.train.settings import TrainSettings

Preset = Literal["cpu", "phenomena", "paper"]
Way = Literal["white-box", "approximated", "transfer"]

WAYS: tuple[Way, ...] = get_args(Way)
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
THETAS = (0.4, 0.6, 0.8, 1.0)
EPS = (2, 8, 16)
MAX_CONFIG_BYTES = 1 << 20


@dataclass(frozen=True)
class Scale:
    """What an experiment's networks are trained on and how long, and what is measured.

    Attributes:
        dataset: what `sw.data.datasets.load` knows.
        train_images, test_images: how many, drawn by `seed`; 0: all.
        width: a factor on the features of all hidden layers.
        fc_width: neurons of the hidden fully connected layer instead, or None.
        timesteps: T.
        weight_bits: K.
        encodings: columns.
        thetas: the convolutions' thresholds; rows. Table 1 has its first one only.
        eps: strengths of FGSM in 1/255.
        ways: where an attack's gradient comes from. "white-box": the network itself, by autograd
            where its encoding has a gradient, else by the paper's approximation. "approximated":
            the network itself, by the approximation. "transfer": an attack model of the same
            layers and threshold with direct encoding, trained from the next seed.
        epochs, quantised_epochs, batch, rate, quantised_rate, threads, augment, fast: see
            `TrainSettings`.
        network, seeds, groups: of the phenomena: "vgg5" or "vgg9"; how many networks of each kind,
            trained from `seed` and those after it; into how many groups the test images go.
        seed: of everything that is drawn.

    Raises:
        InputError: a value is out of range.
    """

    dataset: str
    train_images: int
    test_images: int
    width: float
    timesteps: int
    epochs: int
    quantised_epochs: int
    batch: int = 128
    rate: float = 5e-3
    quantised_rate: float = 1e-3
    weight_bits: int = 4
    fc_width: int | None = None
    encodings: tuple[Encoding, ...] = ENCODINGS
    thetas: tuple[float, ...] = THETAS
    eps: tuple[int, ...] = EPS
    ways: tuple[Way, ...] = WAYS
    network: str = "vgg9"
    seeds: int = 3
    groups: int = 20
    seed: int = 1
    threads: int = 1
    augment: bool = True
    fast: bool = False

    def __post_init__(self) -> None:
        check_range("train_images", self.train_images, 0, 10**9)
        check_range("test_images", self.test_images, 0, 10**9)
        check_range("seeds", self.seeds, 2, 1000)
        check_range("groups", self.groups, 2, 1000)
        for what in ("encodings", "ways", "thetas", "eps"):
            chosen = getattr(self, what)
            if not chosen or len(set(chosen)) != len(chosen):
                raise InputError(f"{what}: must be at least one, each of them once")
        for encoding in self.encodings:
            check_choice("encodings", encoding, ENCODINGS)
        for way in self.ways:
            check_choice("ways", way, WAYS)
        for eps in self.eps:
            Attack("fgsm", eps)
        self.training(self.seed)

    def training(self, seed: int) -> TrainSettings:
        """How a network of this scale is trained from a seed."""
        return TrainSettings(
            seed=seed,
            epochs=self.epochs,
            quantised_epochs=self.quantised_epochs,
            rate=self.rate,
            quantised_rate=self.quantised_rate,
            batch=self.batch,
            threads=self.threads,
            augment=self.augment,
            fast=self.fast,
        )


PRESETS: dict[Preset, Scale] = {
    # A network takes minutes on one core of a small machine.
    "cpu": Scale(
        dataset="cifar10",
        train_images=10_000,
        test_images=1_000,
        width=0.25,
        timesteps=4,
        epochs=6,
        quantised_epochs=2,
        fast=True,
    ),
    # 96 networks and 672 trials in an hour or so on one core: small and hardly trained.
    "phenomena": Scale(
        dataset="cifar10",
        network="vgg5",
        train_images=8_000,
        test_images=500,
        width=0.125,
        timesteps=4,
        epochs=3,
        quantised_epochs=1,
        batch=64,
        augment=False,
        fast=True,
    ),
    # All of it. The paper gives neither T nor epochs; with 8 steps, phase shows all of a pixel.
    "paper": Scale(
        dataset="cifar10",
        train_images=0,
        test_images=0,
        width=1.0,
        timesteps=8,
        epochs=100,
        quantised_epochs=20,
        fast=True,
    ),
}


def load(preset: str, config: Path | None = None) -> Scale:
    """A preset, changed by a TOML file of `Scale`'s fields.

    Raises:
        InputError: no such preset; or the file is missing, no TOML, has a key that is no field, or
            a value of another type or out of range.
    """
    base = PRESETS[check_choice("unknown preset", preset, PRESETS)]
    return base if config is None else _changed(base, config)


def parts(scale: Scale, train: Dataset, test: Dataset) -> tuple[Dataset, Dataset]:
    """The training and test images that a scale takes of a data set; raises `InputError`."""
    return _part("train_images", train, scale.train_images, scale.seed), _part(
        "test_images", test, scale.test_images, scale.seed
    )


def _part(what: str, dataset: Dataset, count: int, seed: int) -> Dataset:
    if count > len(dataset):
        raise InputError(
            f"{what}: is {count}, but {dataset.name} has {len(dataset)}: must be 1 to that, or 0"
            " for all"
        )
    return dataset.take(np.random.default_rng(seed).permutation(len(dataset))[: count or None])


def _document(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise InputError(f"config {path} has more than {MAX_CONFIG_BYTES} bytes")
        return tomllib.loads(content.decode("utf-8-sig"))  # some editors write a byte-order mark
    except OSError as error:
        raise InputError(f"cannot read config {path}: {reason(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"config {path} is no TOML: {error}") from error
    except RecursionError as error:
        raise InputError(f"config {path}: its values are nested too deeply") from error
    except InputError:
        raise
    except ValueError as error:  # of a number that Python does not turn into one
        raise InputError(f"config {path}: a number in it has too many digits") from error


def _changed(scale: Scale, path: Path) -> Scale:
    document = _document(path)
    types = get_type_hints(Scale)
    for name in document:
        check_choice(f"config {path}: unknown key", name, [field.name for field in fields(Scale)])
    changes = {
        name: _typed(f"config {path}: {name}", value, types[name])
        for name, value in document.items()
    }
    try:
        return replace(scale, **changes)
    except InputError as error:
        raise InputError(f"config {path}: {error}") from error


def _typed(what: str, value: Any, kind: Any) -> Any:
    """A TOML value as a field's type; raises `InputError` if it is another."""
    if isinstance(kind, UnionType):  # int | None: TOML has no None
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{what}: is {shown(value)}, must be a list")
        return tuple(_typed(what, item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is Literal:
        kind = str
    if kind is float and type(value) is int:
        try:
            return float(value)
        except OverflowError as error:
            raise InputError(f"{what}: is {shown(value)}, must be smaller") from error
    if type(value) is not kind:
        names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise InputError(f"{what}: is {shown(value)}, must be {names[kind]}")
    return value
