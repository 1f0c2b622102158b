"""Where a training stands, and that as a file: after each epoch all that it takes to go on."""

import copy
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.files import tensorfile
from sw.files.atomic import atomic_write
from sw.files.tensorfile import Array, Format
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train.settings import TrainSettings

FORMAT = Format("training state", "nc64c-training-1")
MOMENTS = ("exp_avg", "exp_avg_sq")  # AdamW's, one of each per parameter
CYCLED = ("lr", "betas")  # what the one-cycle schedule moves

Row = dict[str, Any]  # of the learning curve


@dataclass(frozen=True)
class Part:
    """One of the two parts of a training: float weights, or weights of K bits."""

    name: str
    bits: int | None
    epochs: int
    rate: float

    @property
    def weights(self) -> str:
        return "float weights" if self.bits is None else f"weights of {self.bits} bits"


@dataclass
class TrainingState:
    """A training under way.

    Attributes:
        identity: what it is a training of: configuration, settings, a hash of the images.
        network: as it stands; `float_network`: what the first part left, once it is over.
        number: of the part, 0 or 1; 2 when all is done.
        epoch: whole epochs of the part.
        optimiser, schedule: of the part; there once `prepare` was called.
        curve: a row per epoch.
        generator: draws the order of images and their changes.
        last_good: copies of both networks after the last whole epoch.
    """

    config: NetworkConfig
    settings: TrainSettings
    identity: dict[str, Any]
    network: SpikingNetwork
    generator: torch.Generator
    float_network: SpikingNetwork | None = None
    number: int = 0
    epoch: int = 0
    curve: list[Row] = field(default_factory=list)
    optimiser: torch.optim.Optimizer = field(init=False)
    schedule: torch.optim.lr_scheduler.LRScheduler = field(init=False)
    last_good: tuple[SpikingNetwork, SpikingNetwork] | None = None
    restored: dict[str, Any] | None = None  # of the optimiser, from a file, until `prepare`

    @property
    def parts(self) -> tuple[Part, Part]:
        settings, bits = self.settings, self.config.weight_bits
        return (
            Part("float", None, settings.epochs, settings.rate),
            Part("quantised", bits, settings.quantised_epochs, settings.quantised_rate),
        )

    @property
    def part(self) -> Part | None:
        """The part that it is in; None when all is done."""
        return self.parts[self.number] if self.number < len(self.parts) else None

    def steps_before(self, per_epoch: int) -> int:
        """Steps of the parts before this one."""
        return per_epoch * sum(part.epochs for part in self.parts[: self.number])

    def next_part(self) -> None:
        """The part is over: the next one starts from its weights."""
        if self.number == 0:
            self.float_network = copy.deepcopy(self.network).cpu()
            self.network.weight_bits = self.config.weight_bits
        self.number, self.epoch = self.number + 1, 0

    def prepare(self, per_epoch: int) -> None:
        """Make the part's optimiser and schedule, new or as the file has them."""
        part = self.part
        if part is None or not part.epochs:
            return
        optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=part.rate, weight_decay=self.settings.weight_decay
        )
        self.optimiser = optimiser
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=part.rate, total_steps=per_epoch * part.epochs
        )
        if self.restored is not None:
            steps = self.epoch * per_epoch
            for parameter, moments in zip(
                self.network.parameters(), self.restored["moments"], strict=True
            ):
                placed = {name: value.to(parameter.device) for name, value in moments.items()}
                optimiser.state[parameter] = {"step": torch.tensor(float(steps)), **placed}
            optimiser.param_groups[0] |= self.restored["cycled"]
            self.schedule.load_state_dict({"last_epoch": steps, "_step_count": steps + 1})
            self.restored = None

    def remember(self) -> None:
        """Copy both networks, to the CPU: they are good, and the next epoch may not be."""
        quantised = copy.deepcopy(self.network).cpu().eval()
        quantised.weight_bits, quantised.compiled = self.config.weight_bits, False
        float_network = self.float_network
        if float_network is None:
            float_network = copy.deepcopy(quantised)
            float_network.weight_bits = None
        self.last_good = float_network, quantised


def start(
    config: NetworkConfig,
    settings: TrainSettings,
    dataset: Dataset,
    first: SpikingNetwork | None = None,
) -> TrainingState:
    """A training that has not begun, with the weights of `first` or those that the seed draws.

    Raises:
        InputError: `first` has other layers.
    """
    network = SpikingNetwork(config)
    if first is None:
        network.reset(settings.seed)
    else:
        wanted, given = (_shapes(one) for one in (network, first))
        if wanted != given:
            raise InputError(
                f"first weights: are of {first.config.name}, whose {_difference(given, wanted)}"
            )
        network.load_state_dict(first.state_dict())
    digest = hashlib.sha256(np.ascontiguousarray(dataset.images).data)
    digest.update(np.ascontiguousarray(dataset.labels).data)
    identity = {
        "network": asdict(config),
        "training": asdict(settings),
        "images": digest.hexdigest(),
    }
    identity = json.loads(json.dumps(identity))  # lists for tuples, as a file has them
    generator = torch.Generator().manual_seed(settings.seed)
    return TrainingState(config, settings, identity, network, generator)


def _shapes(network: SpikingNetwork) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _difference(given: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]) -> str:
    """The first tensor that is not as it must be, as the end of a sentence."""
    name = next(name for name in (wanted | given) if given.get(name) != wanted.get(name))
    have, want = (str(list(s[name])) if name in s else "not there" for s in (given, wanted))
    return f"{name} is {have}: must be {want}"


def save(path: Path, run: TrainingState) -> None:
    """Write the state after a whole epoch, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    group = run.optimiser.param_groups[0]
    document = {
        "identity": run.identity,
        "part": run.number,
        "epoch": run.epoch,
        "curve": run.curve,
        "cycled": {name: group[name] for name in CYCLED},
    }
    tensors: dict[str, Array] = {"generator": run.generator.get_state().numpy()}
    for name, value in run.network.state_dict().items():
        tensors[f"network.{name}"] = value.cpu().numpy()
    if run.float_network is not None:
        for name, value in run.float_network.state_dict().items():
            tensors[f"float.{name}"] = value.numpy()
    for name, parameter in run.network.named_parameters():
        for moment in MOMENTS:
            tensors[f"{moment}.{name}"] = run.optimiser.state[parameter][moment].cpu().numpy()
    tensorfile.write(path, FORMAT, document, tensors)


def save_curve(path: Path, curve: list[Row]) -> None:
    """Write the learning curve, a JSON object per line.

    Raises:
        InputError: the file cannot be written.
    """
    atomic_write(path, "".join(json.dumps(row) + "\n" for row in curve).encode())


def load(path: Path, run: TrainingState) -> None:
    """Put a training that has not begun where the file left it.

    Raises:
        InputError: the file is damaged, or of another training.
    """
    document = tensorfile.read_document(path, FORMAT)
    if document.get("identity") != run.identity:
        raise InputError(
            f"training state {path} is of another training: give the same data set, network and"
            " settings as then, or delete it to start anew"
        )
    try:
        number, epoch = int(document["part"]), int(document["epoch"])
        curve, cycled = list(document["curve"]), dict(document["cycled"])
        cycled = {"lr": float(cycled["lr"]), "betas": tuple(map(float, cycled["betas"]))}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"training state {path} is damaged ({error!r})") from error
    if not 0 <= number < len(run.parts) or not 0 < epoch <= run.parts[number].epochs:
        raise InputError(f"training state {path} is damaged: it is at epoch {epoch}")
    tensors = tensorfile.read_tensors(path, FORMAT, _layout(run, number))
    if number == 1:
        _fill(run.network, "float", tensors)
        run.network.eval()
        run.next_part()
    _fill(run.network, "network", tensors)
    run.generator.set_state(torch.from_numpy(tensors["generator"]))
    moments = [
        {moment: torch.from_numpy(tensors[f"{moment}.{name}"]) for moment in MOMENTS}
        for name, _ in run.network.named_parameters()
    ]
    run.epoch, run.curve = epoch, curve
    run.restored = {"moments": moments, "cycled": cycled}
    run.remember()


def _layout(run: TrainingState, number: int) -> tensorfile.Layout:
    """The tensors that a state file of this training has, in this part."""
    state = run.generator.get_state()
    layout: tensorfile.Layout = {"generator": ("U8", tuple(state.shape))}
    prefixes = ("network",) if number == 0 else ("network", "float")
    for name, value in run.network.state_dict().items():
        kind = tensorfile.TYPE_NAMES[str(value.dtype).removeprefix("torch.")]
        layout |= {f"{prefix}.{name}": (kind, tuple(value.shape)) for prefix in prefixes}
    for name, parameter in run.network.named_parameters():
        layout |= {f"{moment}.{name}": ("F32", tuple(parameter.shape)) for moment in MOMENTS}
    return layout


def _fill(network: SpikingNetwork, prefix: str, tensors: dict[str, Array]) -> None:
    names = network.state_dict().keys()
    network.load_state_dict({name: torch.from_numpy(tensors[f"{prefix}.{name}"]) for name in names})
