"""An experiment from its name to its files: train and measure what is missing, then show it."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sw.common.errors import InputError
from sw.files.atomic import atomic_write
from sw.files.store import Result
from sw.jobs.engine import Engine
from sw.paper import document, findings
from sw.paper.cells import (
    EXPERIMENTS,
    Cell,
    Experiment,
    Store,
    Task,
    Training,
    grid,
    key,
    trainings,
)
from sw.paper.presets import Scale
from sw.paper.tables import Results, tables
from sw.paper.worker import Done, Job, Source, images

AnyTask = TypeVar("AnyTask", Training, Cell)


@dataclass(frozen=True)
class Listener:
    """Who is told how it goes.

    Attributes:
        planned: of a kind of task ("training" or "measuring"), how many there are.
        finished: one of that kind is finished, found so or just done.
        damaged: a sentence about a file that is made anew.
    """

    planned: Callable[[str, int], None] = lambda kind, count: None
    finished: Callable[[str], None] = lambda kind: None
    damaged: Callable[[str], None] = lambda sentence: None


def check_name(name: str) -> Experiment:
    """The experiment of that name; raises `InputError` if there is none."""
    for known in EXPERIMENTS:
        if name == known:
            return known
    raise InputError(f"unknown experiment {name!r}: must be one of {', '.join(EXPERIMENTS)}")


def run(
    name: Experiment,
    source: Source,
    out: Path,
    engine: Engine[Job, Done],
    listener: Listener | None = None,
) -> list[Path]:
    """Do an experiment; finished cells in `out` are taken as they are, so a killed run goes on.

    Args:
        name: which one.
        source: its scale, and where the images come from.
        out: folder for its files, and for cells and networks.
        engine: where its jobs run.
        listener: who is told how it goes.

    Returns:
        The files it made: NAME.json, NAME.md and NAME.png.

    Raises:
        InputError: bad data, a folder that cannot be written, Matplotlib is missing, or a training
            state that was left by another training.
    """
    document.check()
    train, test = images(source)
    cells = grid(name, source.scale, train, test)
    folder = _Folder(Store(out), source, engine, listener or Listener())
    trained = folder.trained(trainings(cells))
    results = folder.measured(cells.values(), trained)
    by_place = {place: results[cell] for place, cell in cells.items()}
    outcome = document.Outcome(
        experiment=name,
        scale=source.scale,
        cells=cells,
        results=by_place,
        trained={key(task): result for task, result in trained.items()},
        tables=tables(name, source.scale, by_place),
        remarks=_remarks(name, source.scale, by_place),
    )
    return _written(outcome, out)


def _remarks(name: Experiment, scale: Scale, results: Results) -> dict[str, list[str]]:
    """By way of attack; the paper's findings are about its Table 2."""
    if name != "table2":
        return {}
    return {way: findings.observed(scale, results, way) for way in scale.ways}


class _Folder:
    """Does tasks that are not finished yet, and keeps what they give."""

    def __init__(
        self, store: Store, source: Source, engine: Engine[Job, Done], listener: Listener
    ) -> None:
        self._store, self._source = store, source
        self._engine, self._listener = engine, listener

    def trained(self, tasks: Sequence[Training]) -> dict[Training, Result]:
        def job(task: Training) -> Job:
            state = self._store.state(task) if self._engine.shares_files else None
            return Job(task, self._source, state=state)

        return self._done("training", tasks, job)

    def measured(
        self, cells: Iterable[Cell], trained: dict[Training, Result]
    ) -> dict[Cell, Result]:
        """Cells of networks whose training failed have failed as well, and are not kept."""
        found: dict[Cell, Result] = {}
        wanted = []
        for cell in dict.fromkeys(cells):
            failed = [trained[task] for task in _networks(cell) if "failed" in trained[task]]
            if failed:
                found[cell] = failed[0]
            else:
                wanted.append(cell)

        def job(cell: Cell) -> Job:
            networks = [self._store.network(task, trained[task]) for task in _networks(cell)]
            return Job(cell, self._source, tuple(networks))

        return found | self._done("measuring", wanted, job)

    def _done(
        self, kind: str, tasks: Sequence[AnyTask], job: Callable[[AnyTask], Job]
    ) -> dict[AnyTask, Result]:
        self._listener.planned(kind, len(tasks))
        found = {}
        for task in tasks:
            result = self._found(task)
            if result is not None:
                found[task] = result
                self._listener.finished(kind)
        missing = [task for task in tasks if task not in found]
        for number, done in self._engine.run([partial(job, task) for task in missing]):
            task = missing[number]
            self._store.save(task, done.result, done.network)
            result = self._store.load(task)
            assert result is not None
            found[task] = result
            self._listener.finished(kind)
        return found

    def _found(self, task: Task) -> Result | None:
        try:
            return self._store.load(task)
        except InputError as error:
            self._listener.damaged(f"{error}; it is made anew")
            return None


def _networks(cell: Cell) -> list[Training]:
    return [cell.target] if cell.attacker is None else [cell.target, cell.attacker]


def _written(outcome: document.Outcome, out: Path) -> list[Path]:
    content = json.dumps(document.as_json(outcome), indent=1, allow_nan=False)
    files = {
        "json": content.encode() + b"\n",
        "md": document.as_markdown(outcome).encode(),
        "png": document.as_png(outcome),
    }
    for ending, data in files.items():
        atomic_write(out / f"{outcome.experiment}.{ending}", data)
    return [out / f"{outcome.experiment}.{ending}" for ending in files]
