"""What the commands of `nc64c` do, from their arguments to the files they leave."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from cosim import chip_use, gather, output, record, report, rtl, sets
from cosim.chip_levels import RtlRun, RunRtl
from cosim.experiment import examine, prepare
from cosim.mapping import choose_mapping
from cosim.program import Program
from cosim.progress import Advance, Progress
from cosim.simulator import MIN_BLOCK_AXONS, build
from cosim.stimulus import Phase
from hw import emit
from hw.spec import ChipShape
from sw import checkpoint, metrics, tensorfile
from sw.fold import fold

ATTACK_FILE = tensorfile.Format("attack file", "nc64c-attack-1")

Accuracies = dict[str, float]  # per cent


@dataclass(frozen=True)
class Experiment:
    """The arguments of `nc64c cosim`."""

    checkpoint: Path
    data: Path | None
    out: Path
    shape: ChipShape
    sets: str
    images: int
    seed: int
    jobs: int | None
    front_door: bool
    command: str


def attack(
    path: Path,
    folder: Path | None,
    names: str,
    images: int,
    seed: int,
    out: Path,
    progress: Progress,
) -> Accuracies:
    """Attacks a checkpoint's quantised network and saves the images; its accuracy by set."""
    _use_one_thread()
    wanted = sets.parse_sets(names)
    output.check_file(out)
    loaded = checkpoint.load(path)
    network = loaded.quantised_network
    drawn = sets.draw_images(loaded.config.dataset, images, seed, folder)
    made = sets.make_sets(network, drawn, wanted, progress)
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
    _use_one_thread()
    started, start = datetime.now(UTC), time.monotonic()
    names = sets.parse_sets(task.sets)
    output.check_folder(task.out)
    subject = prepare(task.checkpoint, task.shape, names, task.images, task.seed, folder=task.data)
    jobs = task.jobs or gather.usable_cores()
    run_rtl, build_s = verilated(task.shape, jobs, task.front_door, progress)
    results = examine(subject, run_rtl, progress)
    facts = record.Facts(
        command=task.command,
        checkpoint=_named(task.checkpoint),
        seed=task.seed,
        jobs=jobs,
        started=started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        wall_s=time.monotonic() - start,
        stages=dict(progress.seconds),
        cpu=gather.processor(),
        cores=gather.usable_cores(),
        versions=gather.versions(),
    )
    run = gather.gather(subject, results, build_s, facts)
    with output.staged(task.out) as stage:
        record.save(stage, run)
        report.write(stage, run)
    return run


def verilog(shape: ChipShape, out: Path) -> list[Path]:
    """The chip in Verilog; the files it wrote."""
    with output.staged(out) as stage:
        return [out / path.relative_to(stage) for path in emit.write_verilog(shape, stage)]


def verilated(
    shape: ChipShape, processes: int, front_door: bool, progress: Progress
) -> tuple[RunRtl, float]:
    """What runs the chip in RTL, and the seconds that building it took (cached: 0)."""
    with progress.stage("Verilator build"):
        simulator = build(shape, flat=shape.axons < MIN_BLOCK_AXONS)

    def run(program: Program, jobs: Sequence[Sequence[Phase]], advance: Advance) -> RtlRun:
        done = 0

        def count(total: int) -> None:
            nonlocal done
            advance(total - done)
            done = total

        return rtl.run_jobs(
            simulator,
            program,
            jobs,
            processes=processes,
            backdoor=not front_door,
            on_done=count,
        )

    return run, simulator.build_s


def _use_one_thread() -> None:
    """One thread each for torch and numpy's BLAS; the RTL runs in processes of its own.

    Sums of floats, and so attacks, must not depend on how many cores the machine has; and arrays as
    small as ours only make threads wait for each other.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")


def _named(path: Path) -> str:
    """A file's name, short where it is below the working folder, and a hash of its content."""
    whole, here = path.resolve(), Path.cwd()
    name = whole.relative_to(here) if whole.is_relative_to(here) else path
    return f"{name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
