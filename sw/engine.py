"""Where independent jobs run: in this process, in processes of their own, or on a Dask cluster.

What a job's work is, the caller says: a function of a module, so that other processes find it.
"""

import importlib
import os
import signal
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

from sw.errors import InputError

CONNECT_SECONDS = 10
TRIES = 3  # of a job whose worker dies
FAREWELL_SECONDS = 10.0  # that a worker whose parent has died may take to end what it started

Job = TypeVar("Job")
Done = TypeVar("Done")
Task = TypeVar("Task", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class WorkerDied(RuntimeError):
    """A worker process ended without a result; it was killed, perhaps for want of memory."""


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

    A job whose process dies is given to a new one, until it has cost `TRIES` of them.

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
        if self.workers == 1 or len(jobs) == 1:
            for number, make in enumerate(jobs):
                yield number, self._work(make())
            return
        waiting = deque(range(len(jobs)))
        deaths: Counter[int] = Counter()
        team = [_Worker(self._work) for _ in range(min(self.workers, len(jobs)))]
        try:
            while True:
                for worker in team:
                    if waiting and worker.number is None:
                        number = waiting.popleft()
                        worker.take(number, jobs[number]())
                busy = {worker.connection: worker for worker in team if worker.number is not None}
                if not busy:
                    return
                for ready in wait(list(busy)):
                    assert isinstance(ready, Connection)
                    worker = busy[ready]
                    try:
                        number, done = worker.answer()
                    except WorkerDied as error:
                        lost = worker.number
                        assert lost is not None
                        deaths[lost] += 1
                        if deaths[lost] == TRIES:
                            raise
                        self._say(f"{error}; its work is given to a new one")
                        waiting.appendleft(lost)
                        worker.stop()
                        team[team.index(worker)] = _Worker(self._work)
                    else:
                        yield number, done
        finally:
            for worker in team:
                worker.end()
            for worker in team:
                worker.stop()

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


class _Worker(Generic[Job, Done]):
    """A process, and the number of the job that it has in hand."""

    def __init__(self, work: Callable[[Job], Done]) -> None:
        context = get_context("spawn")  # a fork of a process with PyTorch's threads may hang
        self.connection, theirs = context.Pipe()
        self.number: int | None = None
        self._process = context.Process(target=_worker, args=(theirs, work), daemon=True)
        with _without_interrupts():
            self._process.start()
        theirs.close()

    def take(self, number: int, job: Job) -> None:
        self.number = number
        with suppress(BrokenPipeError):  # it died: what it does not answer says so
            self.connection.send(job)

    def answer(self) -> tuple[int, Done]:
        """Its job's number and what it made of it; raises what the work raised, or `WorkerDied`."""
        assert self.number is not None
        try:
            answer = self.connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise WorkerDied(
                "a worker process ended without a result: it was killed, or ran out of memory"
            ) from error
        number, self.number = self.number, None
        if isinstance(answer, BaseException):
            raise answer
        return number, answer

    def end(self) -> None:
        self._process.terminate()

    def stop(self) -> None:
        """Waits until it has ended, and what it had started as well."""
        self._process.join()
        self.connection.close()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C is the parent's to handle: processes started in here never hear of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _worker(connection: Connection, work: Callable[[Job], Done]) -> None:
    """One job after another, until the parent ends this process."""
    signal.signal(signal.SIGTERM, _terminated)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent does not listen any more
        while True:
            job = connection.recv()
            try:
                answer: Done | Exception = work(job)
            except Exception as error:
                error.add_note(traceback.format_exc())
                answer = error
            connection.send(answer)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    """Unwinds the stack, once, so that the work ends the processes that it has started."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


def _end_with_parent() -> None:
    """However the parent ends, killed outright too, its workers do not go on without it."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(FAREWELL_SECONDS)
    os._exit(1)
