"""`nc64c oracle`: what an attacker gains who has the chip, as a document."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from cosim.experiment.code import code_hash
from cosim.experiment.levels.single import Single
from cosim.experiment.oracle import worker
from cosim.experiment.oracle.chip import parse_chips
from cosim.experiment.oracle.order import Order
from cosim.experiment.oracle.rows import Row, parse_attacks, parse_draws, rows_of
from cosim.experiment.oracle.worker import Done, Task
from cosim.mapping.host_layers import chip_layers
from cosim.mapping.noise import relative
from cosim.rtl.choice import OURS, prepare
from sw.attack.image_sets import batches
from sw.common.machine import usable_cores
from sw.common.progress import Progress
from sw.jobs import worker_setup
from sw.jobs.engine import Local

BLOCK = 50  # images that are attacked together
SCHEMA = 2
Document = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Failing:
    """The stimulus of the first mismatch, which chip and images, and what differs, in words."""

    stimulus: Single
    what: str
    said: str


@dataclass(frozen=True, eq=False)
class Found:
    """All figures as JSON; and where golden model and RTL differ, if they do."""

    document: Document
    failing: Failing | None


def run(order: Order, jobs: int | None, command: str, progress: Progress) -> Found:
    """Makes and shows all images, `jobs` blocks at a time (None: as many as cores).

    Raises `InputError`.
    """
    worker_setup.use_one_thread()
    bench = worker.bench(order)
    if order.rtl != OURS:
        progress.say(f"RTL: {order.rtl}")
    tasks = {chip: _tasks(order, chip, len(bench.data)) for chip in parse_chips(order.chips)}
    every = [task for each in tasks.values() for task in each]
    kept = {task: was for task in every if (was := bench.kept(task)) is not None}
    if order.rtl_images and len(kept) < len(every):
        with progress.stage("RTL build"):
            prepare(order.rtl, order.shape)
    done = {}
    with closing(Local(jobs or usable_cores(), worker.run, progress.say)) as engine:
        for chip, each in tasks.items():
            done[chip] = _on(chip, each, kept, engine, progress)
    document = {
        "schema_version": SCHEMA,
        "command": command,
        "network": bench.name,
        "dataset": bench.data.name,
        "images": len(bench.data),
        "rtl_images": order.rtl_images,
        "eps": order.eps,
        "queries": order.queries,
        "draws": parse_draws(order.draws),
        "seed": order.seed,
        "noise": _noise(order, bench),
        "labels": bench.data.labels.tolist(),
        "chips": {chip: _entries(blocks) for chip, blocks in done.items()},
    }
    blocks = [block for blocks in done.values() for block in blocks.items()]
    first = next(((task, each) for task, each in blocks if each.shown.place), None)
    return Found(document, None if first is None else _failing(bench, *first))


def _tasks(order: Order, chip: str, images: int) -> list[Task]:
    """The clean images on a chip, and then each row's, block by block."""
    attacks, draws = parse_attacks(order.attacks), parse_draws(order.draws)
    code = code_hash()
    return [
        Task(order, chip, row, block.start, min(block.stop, images), code)
        for row in (None, *rows_of(parse_chips(order.chips)[chip], attacks, draws))
        for block in batches(images, BLOCK)
    ]


def _on(
    chip: str,
    tasks: list[Task],
    kept: dict[Task, Done],
    engine: Local[Task, Done],
    progress: Progress,
) -> dict[Task, Done]:
    """What came of a chip's tasks; those that are not kept are done now."""
    left = [task for task in tasks if task not in kept]
    found: dict[Task, Done] = {}
    with progress.stage(chip, len(tasks), "blocks") as advance:
        advance(len(tasks) - len(left))
        for number, done in engine.run([partial(left.__getitem__, n) for n in range(len(left))]):
            found[left[number]] = done
            for sentence in done.said:
                progress.say(sentence)
            advance(1)
    return {task: kept.get(task) or found[task] for task in tasks}


def _noise(order: Order, bench: worker.Bench) -> dict[str, float]:
    """Of the chips that have noise, the largest as a share of the median threshold."""
    layers = chip_layers(bench.desk.subject.network)
    return {
        name: round(relative(chip.noise_bits, layers), 6)
        for name, chip in parse_chips(order.chips).items()
        if chip.noise_bits
    }


def _failing(bench: worker.Bench, task: Task, done: Done) -> Failing:
    stimulus = bench.again(task, done.shown)
    made = "clean" if task.row is None else f"{task.row.attack}, {task.row.asked}"
    what = f"chip {task.chip}, {made}, of images {task.first} on: {stimulus.what}"
    return Failing(stimulus, what, done.shown.first or "")


def _entries(blocks: dict[Task, Done]) -> list[Document]:
    rows = dict.fromkeys(task.row for task in blocks)
    return [
        _entry(row, {task: done for task, done in blocks.items() if task.row == row})
        for row in rows
    ]


def _entry(row: Row | None, blocks: dict[Task, Done]) -> Document:
    shown = [done.shown for done in blocks.values()]
    firsts = {task.first: done.shown.first for task, done in blocks.items()}
    return {
        "attack": None if row is None else row.attack,
        "asked": None if row is None else row.asked,
        "draws": 0 if row is None else row.draws,
        "queries": sum(done.queries for done in blocks.values()),
        "golden": [answer for each in shown for answer in each.golden],
        "rtl": [answer for each in shown for answer in each.rtl],
        "compared_spikes": sum(each.spikes for each in shown),
        "compared_membranes": sum(each.membranes for each in shown),
        "mismatches": sum(each.mismatches for each in shown),
        "first_mismatch": next(
            (f"of images {start} on, {said}" for start, said in firsts.items() if said), None
        ),
    }
