"""What the commands of `nc64c` do, from their arguments to the files they leave."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cosim.experiment import collect, worker
from cosim.experiment.collect import Collected
from cosim.experiment.images import image_file, image_store, image_worker, inputs
from cosim.experiment.images.image_file import ImageSets
from cosim.experiment.images.image_store import Wanted
from cosim.experiment.images.inputs import Order
from cosim.experiment.plan import Common, Result, Shard, code_hash, plan
from cosim.experiment.resumable import FOLDER, run_shards
from cosim.experiment.shard import Subject, prepare
from cosim.mapping import usage
from cosim.mapping.choose import choose_mapping
from cosim.mapping.noise import check_bits
from cosim.record import record
from cosim.report import noise as noise_report
from cosim.report import page, plots
from cosim.report import table5 as tables
from cosim.report.verdict import verdict
from cosim.rtl.simulator.build import build
from hw.spec import ChipShape
from hw.verilog import export
from sw.attack.outcome import zero_gradients
from sw.common import machine
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.files import output
from sw.files.atomic import atomic_write
from sw.integer.fold import fold
from sw.jobs import worker_setup
from sw.jobs.engine import Cluster, Engine, Local
from sw.model import metrics
from sw.model.config import NetworkConfig
from sw.train import checkpoint

Job = TypeVar("Job")
Done = TypeVar("Done")
Accuracies = dict[str, float]  # per cent


@dataclass(frozen=True)
class Experiment:
    """The arguments of `nc64c cosim` and `nc64c noise`.

    Attributes:
        sets: None: the usual ones, or all of `replay`.
        images: per set, that go through the RTL; None: as usual, or all of `replay`.
        golden_images: that go up to the golden model, those included; None: no more than those.
        replay: file with the images; None: they are drawn, and attacked.
        jobs: processes here, if there is no `scheduler`; None: as many as cores.
    """

    checkpoint: Path
    attacker: Path | None
    data: Path | None
    out: Path
    shape: ChipShape
    sets: str | None
    images: int | None
    golden_images: int | None
    seed: int
    jobs: int | None
    scheduler: str | None
    front_door: bool
    clock_mhz: float
    command: str
    replay: Path | None = None


def attack(order: Order, out: Path, progress: Progress) -> tuple[Accuracies, list[str]]:
    """Attacks a checkpoint's quantised network and saves the images.

    The network's accuracy by set, and what is to be said of them.
    """
    worker_setup.use_one_thread()
    output.check_file(out, order.checkpoint, order.attacker)
    wanted = order.wanted()
    made, _ = image_store.make(wanted, None, Local(1, image_worker.run), progress)
    network = checkpoint.load_bytes(wanted.network).quantised_network
    answers = {
        name: metrics.evaluate(network, one.images).predictions for name, one in made.sets.items()
    }
    how = {"network": network.config.name, "seed": order.seed}
    how["sets"] = {name: wanted.settings(name) for name in wanted.names}
    image_file.write(out, made, how, answers)
    right = {name: metrics.accuracy(found, made.labels) for name, found in answers.items()}
    zero = {name: int(one.zero.sum()) for name, one in made.sets.items()}
    return right, zero_gradients(zero, len(made))


def map_checkpoint(path: Path, shape: ChipShape) -> record.Chip:
    """What a checkpoint's network takes of a chip."""
    return usage.chip_record(choose_mapping(fold(checkpoint.load(path).quantised_network), shape))


def cosim(task: Experiment, progress: Progress) -> record.Run:
    """The co-simulation: everything is checked, then run, then written to one folder."""
    [run] = runs(task, [0], progress)
    with output.staged(task.out) as stage:
        record.save(stage, run)
        page.write(stage, record.load(stage))  # what `nc64c report` will read
    return run


def noise(task: Experiment, bits: Sequence[int], progress: Progress) -> tuple[str, list[str]]:
    """The same for numbers of bits of threshold noise, into one document of all.

    The document in Markdown, and what differs between golden and RTL, in words.
    """
    plots.check()
    done = list(runs(task, bits, progress))
    text = noise_report.as_markdown(done)
    _write(task.out, "noise", noise_report.as_json(done), text, noise_report.as_pictures(done))
    return text, [
        f"{run['noise']['bits']} bits of noise: {sentence}"
        for run in done
        for sentence in _differences(run)
    ]


def _differences(run: record.Run) -> list[str]:
    """What differs that must be equal, a sentence for each set."""
    found = verdict(run)
    if found.equal:
        return []
    return [f"first in {name}: {one}" for name, one in found.first.items()] or [found.detail]


def table5(run: record.Run, out: Path) -> str:
    """The paper's Table 5 of a run, its files, and its text."""
    plots.check()
    text = tables.as_markdown(run)
    _write(out, "table5", tables.as_json(run), text, tables.as_pictures(run))
    return text


def _write(
    out: Path, name: str, document: dict[str, Any], text: str, pictures: dict[str, bytes]
) -> None:
    with output.staged(out) as stage:
        files = {"json": record.to_json(document), "md": text.encode(), **pictures}
        for ending, content in files.items():
            atomic_write(stage / f"{name}.{ending}", content)


def runs(task: Experiment, noise_bits: Sequence[int], progress: Progress) -> Iterator[record.Run]:
    """A run for each of these numbers of bits of threshold noise; all is checked before the first.

    Shards that are finished are kept in the output folder; nothing else is written.
    """
    worker_setup.use_one_thread()
    for bits in noise_bits:
        check_bits(bits)
    if not 0 < task.clock_mhz < math.inf:
        raise InputError(f"a clock of {task.clock_mhz:g} MHz: must be above 0, such as 100")
    for folder in (task.out, task.out / FOLDER, task.out / image_store.FOLDER):
        output.check_folder(folder, task.data)
    loaded = checkpoint.load(task.checkpoint)
    given = _given(task, loaded.config)
    subject = prepare(loaded, task.shape)
    with closing(_engine(task, worker.run, progress)) as engine:
        build_s = 0.0
        if engine.shares_files:
            with progress.stage("Verilator build"):
                build_s = build(task.shape).build_s
        shown = _shown(task, given, progress)
        for bits in noise_bits:
            yield _run(task, bits, subject, shown, engine, build_s, progress)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What all levels are shown, how many of it in RTL, and the seconds that attacks took."""

    content: ImageSets
    rtl_images: int
    attack_s: float = 0.0


def _given(task: Experiment, config: NetworkConfig) -> _Shown | tuple[Wanted, int]:
    """The images of a file, or all that it takes to make some and how many are for the RTL."""
    if task.replay is None:
        rtl = inputs.IMAGES if task.images is None else task.images
        count = inputs.golden_count(rtl, task.golden_images)
        sets = inputs.SETS if task.sets is None else task.sets
        order = Order(task.checkpoint, task.attacker, task.data, sets, count, task.seed)
        return order.wanted(), rtl
    for name, value in (("--attacker", task.attacker), ("--data", task.data)):
        if value is not None:
            raise InputError(f"{name} {value}: the images are those of {task.replay}, leave it out")
    content = inputs.replayed(task.replay, task.sets, config)
    rtl = len(content) if task.images is None else task.images
    count = inputs.golden_count(rtl, task.golden_images)
    return _Shown(inputs.checked_count(task.replay, content, count), rtl)


def _shown(task: Experiment, given: _Shown | tuple[Wanted, int], progress: Progress) -> _Shown:
    """The images, attacked now unless they are there."""
    if isinstance(given, _Shown):
        return given
    wanted, rtl_images = given
    with closing(_engine(task, image_worker.run, progress)) as engine:
        content, seconds = image_store.make(wanted, task.out / image_store.FOLDER, engine, progress)
    return _Shown(content, rtl_images, seconds)


def verilog(shape: ChipShape, out: Path) -> list[Path]:
    """The chip in Verilog; the files it wrote."""
    with output.staged(out) as stage:
        return [out / path.relative_to(stage) for path in export.write_verilog(shape, stage)]


def _run(
    task: Experiment,
    noise_bits: int,
    subject: Subject,
    shown: _Shown,
    engine: Engine[Shard, Result],
    build_s: float,
    progress: Progress,
) -> record.Run:
    started, start = datetime.now(UTC), time.monotonic()
    common = Common(
        checkpoint=task.checkpoint.read_bytes(),
        shape=task.shape,
        seed=task.seed,
        noise_bits=noise_bits,
        front_door=task.front_door,
        code=code_hash(),
    )
    shards = plan(common, shown.content, shown.rtl_images)
    workers = engine.workers
    stage = f"{noise_bits} bits of noise" if noise_bits else "shards"
    results, found = run_shards(shards, task.out, engine, progress, stage)
    collected = Collected(shards, results)
    facts = record.Facts(
        command=task.command,
        checkpoint=_named(task.checkpoint, common.checkpoint),
        seed=task.seed,
        replayed=None if task.replay is None else _named(task.replay, task.replay.read_bytes()),
        jobs=workers,
        shards=len(shards),
        shards_found=found,
        started=started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        wall_s=time.monotonic() - start,
        stages={"attacks": shown.attack_s} | collect.stages(collected),
        cpu=machine.processor(),
        cores=machine.usable_cores(),
        versions=machine.versions(),
    )
    return collect.gather(
        subject, shown.content, collected, clock_mhz=task.clock_mhz, build_s=build_s, facts=facts
    )


def _engine(task: Experiment, work: Callable[[Job], Done], progress: Progress) -> Engine[Job, Done]:
    if task.scheduler is not None:
        return Cluster(task.scheduler, work)
    return Local(task.jobs or machine.usable_cores(), work, progress.say)


def _named(path: Path, content: bytes) -> str:
    """A file's name, short where it is below the working folder, and a hash of its content."""
    whole, here = path.resolve(), Path.cwd()
    name = whole.relative_to(here) if whole.is_relative_to(here) else path
    return f"{name}, SHA-256 {hashlib.sha256(content).hexdigest()[:16]}"
