"""Tasks done once: what a folder has is taken, what it lacks is trained or measured, and kept."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sw.common.errors import InputError
from sw.files.store import Result
from sw.jobs.engine import Engine
from sw.paper.cells import Cell, Store, Task, Training
from sw.paper.worker import Done, Job, Source

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


class Folder:
    """Does tasks that are not finished yet, and keeps what they give.

    Args:
        store: of what is finished.
        source: of the images.
        engine: where the work runs.
        listener: who is told how it goes.
    """

    def __init__(
        self, store: Store, source: Source, engine: Engine[Job, Done], listener: Listener
    ) -> None:
        self._store, self._source = store, source
        self._engine, self._listener = engine, listener

    def trained(self, tasks: Sequence[Training]) -> dict[Training, Result]:
        """What trainings gave."""

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
        return {task: found[task] for task in tasks}

    def _found(self, task: Task) -> Result | None:
        try:
            return self._store.load(task)
        except InputError as error:
            self._listener.damaged(f"{error}; it is made anew")
            return None


def _networks(cell: Cell) -> list[Training]:
    return [cell.target] if cell.attacker is None else [cell.target, cell.attacker]
