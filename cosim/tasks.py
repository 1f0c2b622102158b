"""What the commands of `nc64c` do, from their arguments to the files they leave."""

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cosim import chip_use, gather, noise_report, output, plots, record, report, sets, shard_work
from cosim import table5 as tables
from cosim.experiment import Subject, prepare
from cosim.gather import Collected
from cosim.mapping import choose_mapping
from cosim.noise import check_bits
from cosim.progress import Progress
from cosim.shard import Common, Result, Shard, code_hash, plan
from cosim.shard_runs import FOLDER, run_shards
from cosim.simulator import build
from hw import emit
from hw.spec import ChipShape
from sw import checkpoint, metrics, tensorfile
from sw.data import Dataset
from sw.engine import Cluster, Engine, Local
from sw.errors import InputError
from sw.files import atomic_write
from sw.fold import fold

ATTACK_FILE = tensorfile.Format("attack file", "nc64c-attack-1")

Accuracies = dict[str, float]  # per cent


@dataclass(frozen=True)
class Experiment:
    """The arguments of `nc64c cosim` and `nc64c noise`.

    Attributes:
        images: per set, that go through the RTL.
        golden_images: that go up to the golden model, those included; None: no more than those.
        jobs: processes here, if there is no `scheduler`; None: as many as cores.
    """

    checkpoint: Path
    attacker: Path | None
    data: Path | None
    out: Path
    shape: ChipShape
    sets: str
    images: int
    golden_images: int | None
    seed: int
    jobs: int | None
    scheduler: str | None
    front_door: bool
    clock_mhz: float
    command: str


def attack(
    path: Path,
    attacker: Path | None,
    folder: Path | None,
    names: str,
    images: int,
    seed: int,
    out: Path,
    progress: Progress,
) -> Accuracies:
    """Attacks a checkpoint's quantised network and saves the images; its accuracy by set."""
    shard_work.use_one_thread()
    wanted = _sets(names, attacker)
    output.check_file(out)
    loaded = checkpoint.load(path)
    network = loaded.quantised_network
    other = None if attacker is None else checkpoint.load(attacker).quantised_network
    drawn = sets.draw_images(loaded.config.dataset, images, seed, folder)
    made = sets.make_sets(network, other, drawn, wanted, seed, progress)
    answers = {name: metrics.evaluate(network, made[name]).predictions for name in wanted}
    arrays: dict[str, tensorfile.Array] = {"labels": drawn.labels}
    for name in wanted:
        arrays |= {f"{name}.images": made[name], f"{name}.predictions": answers[name]}
    document = {"network": loaded.config.name, "dataset": drawn.name, "seed": seed}
    tensorfile.write(out, ATTACK_FILE, document, arrays)
    return {name: metrics.accuracy(answers[name], drawn.labels) for name in wanted}


def map_checkpoint(path: Path, shape: ChipShape) -> record.Chip:
    """What a checkpoint's network takes of a chip."""
    return chip_use.chip_record(
        choose_mapping(fold(checkpoint.load(path).quantised_network), shape)
    )


def cosim(task: Experiment, progress: Progress) -> record.Run:
    """The co-simulation: everything is checked, then run, then written to one folder."""
    [run] = runs(task, [0], progress)
    with output.staged(task.out) as stage:
        record.save(stage, run)
        report.write(stage, run)
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
    found = report.verdict(run)
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
    shard_work.use_one_thread()
    names = _sets(task.sets, task.attacker)
    for bits in noise_bits:
        check_bits(bits)
    if not 0 < task.clock_mhz < math.inf:
        raise InputError(f"a clock of {task.clock_mhz:g} MHz: must be above 0, such as 100")
    for folder in (task.out, task.out / FOLDER):
        output.check_folder(folder)
    loaded = checkpoint.load(task.checkpoint)
    other = None if task.attacker is None else checkpoint.load(task.attacker)
    data = _images(task, loaded.config.dataset)
    subject = prepare(loaded, task.shape, other)
    with closing(_engine(task, progress)) as engine:
        build_s = 0.0
        if engine.shares_files:
            with progress.stage("Verilator build"):
                build_s = build(task.shape).build_s
        for bits in noise_bits:
            yield _run(task, bits, names, subject, data, engine, build_s, progress)


def verilog(shape: ChipShape, out: Path) -> list[Path]:
    """The chip in Verilog; the files it wrote."""
    with output.staged(out) as stage:
        return [out / path.relative_to(stage) for path in emit.write_verilog(shape, stage)]


def _run(
    task: Experiment,
    noise_bits: int,
    names: tuple[str, ...],
    subject: Subject,
    data: Dataset,
    engine: Engine[Shard, Result],
    build_s: float,
    progress: Progress,
) -> record.Run:
    started, start = datetime.now(UTC), time.monotonic()
    common = Common(
        checkpoint=task.checkpoint.read_bytes(),
        attacker=None if task.attacker is None else task.attacker.read_bytes(),
        shape=task.shape,
        seed=task.seed,
        noise_bits=noise_bits,
        front_door=task.front_door,
        code=code_hash(),
    )
    shards = plan(common, data, names, task.images)
    workers = engine.workers
    stage = f"{noise_bits} bits of noise" if noise_bits else "shards"
    results, found = run_shards(shards, task.out, engine, progress, stage)
    collected = Collected(shards, results)
    facts = record.Facts(
        command=task.command,
        checkpoint=_named(task.checkpoint, common.checkpoint),
        seed=task.seed,
        jobs=workers,
        shards=len(shards),
        shards_found=found,
        started=started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        wall_s=time.monotonic() - start,
        stages=gather.stages(collected),
        cpu=gather.processor(),
        cores=gather.usable_cores(),
        versions=gather.versions(),
    )
    return gather.gather(
        subject, data, collected, clock_mhz=task.clock_mhz, build_s=build_s, facts=facts
    )


def _sets(names: str, attacker: Path | None) -> tuple[str, ...]:
    wanted = sets.parse_sets(names)
    for name in wanted:
        if sets.is_transfer(name) and attacker is None:
            raise InputError(sets.NO_ATTACKER.format(name))
    return wanted


def _images(task: Experiment, dataset: str) -> Dataset:
    """All images of the run; the first ones are for the RTL."""
    count = task.images if task.golden_images is None else task.golden_images
    if count < task.images:
        raise InputError(
            f"{count} golden images: must be at least the {task.images} that go through the RTL"
        )
    if task.images < 1:
        count = task.images
    return sets.draw_images(dataset, count, task.seed, task.data)


def _engine(task: Experiment, progress: Progress) -> Engine[Shard, Result]:
    if task.scheduler is not None:
        return Cluster(task.scheduler, shard_work.run)
    return Local(task.jobs or gather.usable_cores(), shard_work.run, progress.say)


def _named(path: Path, content: bytes) -> str:
    """A file's name, short where it is below the working folder, and a hash of its content."""
    whole, here = path.resolve(), Path.cwd()
    name = whole.relative_to(here) if whole.is_relative_to(here) else path
    return f"{name}, SHA-256 {hashlib.sha256(content).hexdigest()[:16]}"
