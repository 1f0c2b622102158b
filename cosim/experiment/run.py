"""A run, from its settings to its record: what is checked, shown, and done by whom."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from cosim.experiment import collect, worker
from cosim.experiment.code import code_hash
from cosim.experiment.collect import Collected
from cosim.experiment.images import image_store, image_worker, inputs
from cosim.experiment.images.image_file import ImageSets
from cosim.experiment.images.image_store import Wanted
from cosim.experiment.images.inputs import Order
from cosim.experiment.levels.single import Place, Single, single
from cosim.experiment.levels.subject import Subject
from cosim.experiment.levels.subject import prepare as prepare_subject
from cosim.experiment.plan import Result, RunSettings, Shard, plan
from cosim.experiment.resumable import FOLDER, run_shards
from cosim.golden.batched.choice import NUMPY, GoldenChoice
from cosim.mapping.noise import check_bits, with_noise
from cosim.record import record
from cosim.rtl.choice import OURS, Choice, prepare
from hw.spec import ChipShape
from sw.attack.image_sets import BLOCK, block_seed
from sw.common import machine
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.files import output
from sw.jobs import worker_setup
from sw.jobs.engine import Cluster, Engine, Local
from sw.model.config.network import NetworkConfig
from sw.train import checkpoint

Job = TypeVar("Job")
Done = TypeVar("Done")


@dataclass(frozen=True)
class Settings:
    """What a run is asked for: the arguments of `nc64c cosim` and `nc64c noise`.

    Attributes:
        sets: names, or files with a set each; None: the usual ones, or all of `replay`.
        images: per set, that go through the RTL; None: as usual, or all of `replay`.
        golden_images: that go up to the golden model, those included; None: no more than those.
        replay: file with the images; None: they are drawn, and attacked.
        rtl: whose RTL, and in which simulator.
        golden: which golden model.
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
    rtl: Choice = OURS
    golden: GoldenChoice = NUMPY


def runs(
    settings: Settings, noise_bits: Sequence[int], progress: Progress
) -> Iterator[record.RunRecord]:
    """A run for each of these numbers of bits of threshold noise; all is checked before the first.

    Shards that are finished are kept in the output folder; nothing else is written.
    """
    worker_setup.use_one_thread()
    settings.golden.check()
    for bits in noise_bits:
        check_bits(bits)
    if not 0 < settings.clock_mhz <= record.MAX_CLOCK_MHZ:
        raise InputError(
            f"a clock of {settings.clock_mhz:g} MHz: must be above 0, such as 100, and at most"
            f" {record.MAX_CLOCK_MHZ:g}"
        )
    for folder in (settings.out, settings.out / FOLDER, settings.out / image_store.FOLDER):
        output.check_folder(folder, settings.data)
    loaded = checkpoint.load(settings.checkpoint)
    given = _given(settings, loaded.config)
    subject = prepare_subject(loaded, settings.shape)
    with closing(_engine(settings, worker.run, progress)) as engine:
        build_s = 0.0
        if settings.rtl != OURS:
            progress.say(f"RTL: {settings.rtl}")
        if not (settings.rtl.back_door or settings.front_door):
            progress.say("it has no back door: memories are loaded as packets, through the mesh")
        if engine.shares_files and settings.rtl.simulator == "verilator":
            with progress.stage("Verilator build"):
                build_s = prepare(settings.rtl, settings.shape)
        shown = _shown(settings, given, progress)
        for bits in noise_bits:
            yield _run(settings, bits, subject, shown, engine, build_s, progress)


def one_stimulus(
    settings: Settings, name: str, place: Place, noise_bits: int, progress: Progress
) -> Single:
    """A stimulus of such a run again; its images are found where the run has left them, or made.

    Raises `InputError`.
    """
    worker_setup.use_one_thread()
    loaded = checkpoint.load(settings.checkpoint)
    content = _shown(settings, _given(settings, loaded.config), progress).content
    subject = prepare_subject(loaded, settings.shape)
    seed, before = block_seed(settings.seed, place.first), place.first % BLOCK
    mapping = with_noise(subject.mapping, noise_bits, seed, before)
    return single(mapping, subject.network, content.sets[name].images, place)


@dataclass(frozen=True, eq=False)
class _Shown:
    """What all levels are shown, how many of it in RTL, and where it comes from.

    Attributes:
        files: that it was read from; none: it was drawn.
        attack_s: seconds that attacks took.
    """

    content: ImageSets
    rtl_images: int
    files: tuple[Path, ...] = ()
    attack_s: float = 0.0


def _given(settings: Settings, config: NetworkConfig) -> _Shown | tuple[Wanted, int]:
    """The images of a file, or all that it takes to make some and how many are for the RTL."""
    files = inputs.files_of(settings.sets) if settings.replay is None else (settings.replay,)
    if not files:
        rtl = inputs.IMAGES if settings.images is None else settings.images
        count = inputs.golden_count(rtl, settings.golden_images)
        sets = inputs.usual_sets(config) if settings.sets is None else settings.sets
        order = Order(
            settings.checkpoint, settings.attacker, settings.data, sets, count, settings.seed
        )
        return order.wanted(), rtl
    for name, value in (("--attacker", settings.attacker), ("--data", settings.data)):
        if value is not None:
            raise InputError(f"{name} {value}: the images are those of {files[0]}, leave it out")
    if settings.replay is None:
        content = inputs.of_files(files, config)
    else:
        content = inputs.replayed(settings.replay, settings.sets, config)
    rtl = len(content) if settings.images is None else settings.images
    count = inputs.golden_count(rtl, settings.golden_images)
    return _Shown(inputs.checked_count(files[0], content, count), rtl, files)


def _shown(settings: Settings, given: _Shown | tuple[Wanted, int], progress: Progress) -> _Shown:
    """The images, attacked now unless they are there."""
    if isinstance(given, _Shown):
        return given
    wanted, rtl_images = given
    with closing(_engine(settings, image_worker.run, progress)) as engine:
        content, seconds = image_store.make(
            wanted, settings.out / image_store.FOLDER, engine, progress
        )
    return _Shown(content, rtl_images, attack_s=seconds)


def _run(
    settings: Settings,
    noise_bits: int,
    subject: Subject,
    shown: _Shown,
    engine: Engine[Shard, Result],
    build_s: float,
    progress: Progress,
) -> record.RunRecord:
    started, start = datetime.now(UTC), time.monotonic()
    common = RunSettings(
        checkpoint=settings.checkpoint.read_bytes(),
        shape=settings.shape,
        seed=settings.seed,
        noise_bits=noise_bits,
        front_door=settings.front_door,
        rtl=settings.rtl,
        golden=settings.golden,
        code=code_hash(),
    )
    shards = plan(common, shown.content, shown.rtl_images)
    workers = engine.workers
    stage = f"{noise_bits} bits of noise" if noise_bits else "shards"
    results, found = run_shards(shards, settings.out, engine, progress, stage)
    collected = Collected(shards, results)
    facts = record.Facts(
        command=settings.command,
        checkpoint=_named(settings.checkpoint, common.checkpoint),
        seed=settings.seed,
        replayed=", ".join(_named(path, path.read_bytes()) for path in shown.files) or None,
        rtl=_source(settings.rtl),
        golden=str(settings.golden),
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
        subject,
        shown.content,
        collected,
        clock_mhz=settings.clock_mhz,
        build_s=build_s,
        facts=facts,
    )


def _engine(
    settings: Settings, work: Callable[[Job], Done], progress: Progress
) -> Engine[Job, Done]:
    if settings.scheduler is not None:
        return Cluster(settings.scheduler, work)
    return Local(settings.jobs or machine.usable_cores(), work, progress.say)


def _source(choice: Choice) -> record.RtlSource:
    design = choice.design
    kind: Literal["ours", "chip", "core"] = "ours"
    if design is not None:
        kind = "core" if design.core else "chip"
    return record.RtlSource(
        simulator=choice.simulator,
        design=kind,
        top=None if design is None else design.top,
        files={} if design is None else dict(design.files),
    )


def _named(path: Path, content: bytes) -> str:
    """A file's name, short where it is below the working folder, and a hash of its content."""
    whole, here = path.resolve(), Path.cwd()
    name = whole.relative_to(here) if whole.is_relative_to(here) else path
    return f"{name}, SHA-256 {hashlib.sha256(content).hexdigest()[:16]}"
