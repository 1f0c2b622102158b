"""Where independent jobs run: in this process, in processes of their own, or on a Dask cluster.

What a job's work is, the caller says: a function of a module, so that other processes find it.
"""

import importlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from sw.common.errors import InputError
from sw.jobs.workers import Team, WorkerDied

CONNECT_SECONDS = 10

Job = TypeVar("Job")
Done = TypeVar("Done")
Task = TypeVar("Task", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class Engine(Protocol[Task, Answer]):
    """Runs jobs; `shares_files` says whether they see this machine's files.

    `workers` is how many jobs it does at a time.
    """

    shares_files: bool

    @property
    def workers(self) -> int: ...

    def run(self, jobs: Sequence[Callable[[], Task]]) -> Iterator[tuple[int, Answer]]:
        """Each job's number and result, as they finish; a job is made when its turn comes."""
        ...

    def close(self) -> None:
        """Lets go of what it holds; it runs nothing any more."""
        ...


class Local(Generic[Job, Done]):
    """Processes on this machine, each for one job after another; none for one job at a time.

    A job whose process dies is given to a new one, a few times (`sw.jobs.workers.TRIES`).

    Args:
        processes: how many.
        work: what is done with a job.
        say: is told of a process that died.
    """

    shares_files = True

    def __init__(
        self,
        processes: int,
        work: Callable[[Job], Done],
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.workers, self._work, self._say = processes, work, say

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        """See `Engine`. However it ends, no process is left behind.

        Raises:
            WorkerDied: one job's processes died again and again.
        """
        if self.workers == 1 or len(jobs) <= 1:
            for number, make in enumerate(jobs):
                yield number, self._work(make())
            return
        team = Team(self.workers, self._work, jobs, self._say)
        try:
            yield from team.answers()
        finally:
            team.end()

    def close(self) -> None:
        """Nothing: processes end with the run that they were for."""


class Cluster(Generic[Job, Done]):
    """Workers of a Dask cluster that is running already; they must have this project and the data.

    Args:
        address: of its scheduler, such as "tcp://10.0.0.5:8786".
        work: what is done with a job.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
    """

    shares_files = False

    def __init__(self, address: str, work: Callable[[Job], Done]) -> None:
        try:
            self._distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise InputError("a scheduler needs Dask: install nc64c[dask]") from error
        self._address, self._work = address, work
        try:
            self._client = self._distributed.Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"scheduler {address}: no Dask scheduler answers there") from error

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        """See `Engine`. What has not finished when this ends is cancelled.

        Jobs may be large, so only as many are handed over as keep the workers busy.

        Raises:
            InputError: the scheduler went away.
            WorkerDied: one job's workers died again and again.
        """
        waiting = deque(enumerate(jobs))
        finished = self._distributed.as_completed()
        submitted: dict[Any, int] = {}

        def submit() -> None:
            number, make = waiting.popleft()
            future = self._client.submit(self._work, make(), pure=False)
            submitted[future] = number
            finished.add(future)

        try:
            for _ in range(min(len(jobs), 2 * self.workers)):
                submit()
            for future in finished:
                done, number = self._result(future), submitted.pop(future)
                if waiting:
                    submit()
                yield number, done
        finally:
            with suppress(Exception):  # there may be no scheduler any more
                self._client.cancel(list(submitted))

    def _result(self, future: Any) -> Done:
        if future.status in ("cancelled", "lost"):
            raise InputError(f"scheduler {self._address} has gone: start it and its workers again")
        try:
            done: Done = future.result()
        except self._distributed.scheduler.KilledWorker as error:
            raise WorkerDied(
                "a job's Dask workers died again and again: they were killed, or ran out of memory"
            ) from error
        return done

    @property
    def workers(self) -> int:
        """Threads of the workers that there are now; 1, if there are none yet."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def close(self) -> None:
        """Leaves the cluster, which goes on."""
        self._client.close()
