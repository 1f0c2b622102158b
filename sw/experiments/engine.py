"""Where independent jobs run: in this process, in processes of their own, or on a Dask cluster."""

import importlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol

from sw.errors import InputError
from sw.experiments.work import Done, Job
from sw.experiments.work import run as work

CONNECT_SECONDS = 10


class WorkerDied(RuntimeError):
    """A worker process ended without a result; it was killed, perhaps for want of memory."""


class Engine(Protocol):
    """Runs jobs; `shares_files` says whether they see this machine's files."""

    shares_files: bool

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        """Each job's number and result, as they finish; a job is made when its turn comes."""
        ...

    def close(self) -> None:
        """Lets go of what it holds; it runs nothing any more."""
        ...


class Local:
    """Processes on this machine, each for one job after another; none for one job at a time.

    Args:
        processes: how many.
    """

    shares_files = True

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        """See `Engine`. However it ends, no process is left behind."""
        if self._processes == 1:
            for number, make in enumerate(jobs):
                yield number, work(make())
            return
        waiting = deque(enumerate(jobs))
        workers = [_started() for _ in range(min(self._processes, len(jobs)))]
        busy = {connection: _sent(connection, waiting) for connection, _ in workers}
        try:
            while busy:
                for ready in wait(list(busy)):
                    assert isinstance(ready, Connection)
                    done, number = _received(ready), busy.pop(ready)
                    if waiting:
                        busy[ready] = _sent(ready, waiting)
                    yield number, done
        finally:
            for connection, process in workers:
                process.terminate()
                process.join()
                connection.close()

    def close(self) -> None:
        """Nothing: processes end with the run that they were for."""


class Cluster:
    """Workers of a Dask cluster that is running already; they must have this project and the data.

    Args:
        address: of its scheduler, such as "tcp://10.0.0.5:8786".

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
    """

    shares_files = False

    def __init__(self, address: str) -> None:
        try:
            self._distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise InputError("a scheduler needs Dask: install nc64c[dask]") from error
        try:
            self._client = self._distributed.Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"scheduler {address}: no Dask scheduler answers there") from error

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        """See `Engine`. What has not finished when this ends is cancelled.

        Jobs carry networks, so only as many are handed over as keep the workers busy.
        """
        waiting = deque(enumerate(jobs))
        finished = self._distributed.as_completed()
        submitted: dict[Any, int] = {}

        def submit() -> None:
            number, make = waiting.popleft()
            future = self._client.submit(work, make(), pure=False)
            submitted[future] = number
            finished.add(future)

        try:
            for _ in range(min(len(jobs), self._ahead())):
                submit()
            for future in finished:
                done, number = future.result(), submitted.pop(future)
                if waiting:
                    submit()
                yield number, done
        finally:
            self._client.cancel(list(submitted))

    def _ahead(self) -> int:
        """Jobs to hand over at a time: two per thread of the workers that there are now."""
        threads: dict[str, int] = self._client.nthreads()
        return 2 * max(1, sum(threads.values()))

    def close(self) -> None:
        """Leaves the cluster, which goes on."""
        self._client.close()


def _started() -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")  # a fork of a process with PyTorch's threads may hang
    ours, theirs = context.Pipe()
    process = context.Process(target=_worker, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _sent(connection: Connection, waiting: deque[tuple[int, Callable[[], Job]]]) -> int:
    """Gives a worker the next job; the job's number."""
    number, make = waiting.popleft()
    with suppress(BrokenPipeError):  # it died: what it does not answer says so
        connection.send(make())
    return number


def _received(connection: Connection) -> Done:
    try:
        answer = connection.recv()
    except (EOFError, ConnectionResetError) as error:
        raise WorkerDied(
            "a worker process ended without a result: it was killed, or ran out of memory"
        ) from error
    if isinstance(answer, BaseException):
        raise answer
    assert isinstance(answer, Done)
    return answer


def _worker(connection: Connection) -> None:
    """One job after another, until the parent ends this process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            job = connection.recv()
            try:
                answer: Done | Exception = work(job)
            except Exception as error:
                answer = error
            connection.send(answer)
    except (KeyboardInterrupt, EOFError, OSError):  # the parent does not listen any more
        return


def _end_with_parent() -> None:
    """However the parent ends, killed outright too, its workers do not go on without it."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
