"""Worker processes on this machine: each does one job after another, and none outlives who asked.

A worker that dies, killed for want of memory say, takes nothing with it: its job is given to a new
one.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from pickle import PicklingError
from types import FrameType
from typing import Generic, TypeVar

TRIES = 3  # of a job whose worker dies
FAREWELL_SECONDS = 10.0  # that a worker whose parent has died may take to end what it started

Job = TypeVar("Job")
Done = TypeVar("Done")


class WorkerDied(RuntimeError):
    """A worker process ended without a result; it was killed, perhaps for want of memory."""


class Team(Generic[Job, Done]):
    """As many processes as there is work for, at most `size`.

    Args:
        size: how many.
        work: what is done with a job: a function of a module.
        jobs: what makes each job when its turn comes.
        say: is told of a process that died.
    """

    def __init__(
        self,
        size: int,
        work: Callable[[Job], Done],
        jobs: Sequence[Callable[[], Job]],
        say: Callable[[str], None],
    ) -> None:
        self._work, self._jobs, self._say = work, jobs, say
        self._waiting = deque(range(len(jobs)))
        self._deaths: Counter[int] = Counter()  # by job
        self._workers = [_Worker(work) for _ in range(min(size, len(jobs)))]

    def answers(self) -> Iterator[tuple[int, Done]]:
        """Each job's number and what came of it, as they are done.

        Raises what the work raises, and `WorkerDied` for a job that has cost `TRIES` processes.
        """
        while busy := self._hand_out():
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                yield from self._collect(busy[ready])

    def end(self) -> None:
        """Ends all processes, and what they have started."""
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.join()

    def _hand_out(self) -> "dict[Connection, _Worker[Job, Done]]":
        """Gives jobs to those that have none; who is busy now, by its connection."""
        for worker in self._workers:
            if self._waiting and worker.number is None:
                number = self._waiting.popleft()
                worker.take(number, self._jobs[number]())
        return {worker.connection: worker for worker in self._workers if worker.number is not None}

    def _collect(self, worker: "_Worker[Job, Done]") -> Iterator[tuple[int, Done]]:
        """A worker's answer; nothing, if it has died: another one is there instead of it."""
        number = worker.number
        assert number is not None
        try:
            answer = worker.answer()
        except WorkerDied as error:
            self._deaths[number] += 1
            if self._deaths[number] == TRIES:
                raise
            self._say(f"{error}; its work is given to a new one")
            self._waiting.appendleft(number)
            worker.join()
            self._workers[self._workers.index(worker)] = _Worker(self._work)
        else:
            yield number, answer


class _Worker(Generic[Job, Done]):
    """A process, and the number of the job that it has in hand."""

    def __init__(self, work: Callable[[Job], Done]) -> None:
        context = _context(work)
        self.connection, theirs = context.Pipe()
        self.number: int | None = None
        given = (theirs, work, dict(os.environ))
        self._process = context.Process(target=_worker, args=given, daemon=True)
        with _without_interrupts(), _with_our_path():
            self._process.start()
        theirs.close()

    def take(self, number: int, job: Job) -> None:
        self.number = number
        with suppress(BrokenPipeError):  # it died: what it does not answer says so
            self.connection.send(job)

    def answer(self) -> Done:
        """What it made of its job; raises what the work raised, or `WorkerDied`."""
        try:
            answer = self.connection.recv()
        except (EOFError, ConnectionResetError) as error:
            raise WorkerDied(
                "a worker process ended without a result: it was killed, or ran out of memory"
            ) from error
        self.number = None
        if isinstance(answer, BaseException):
            raise answer
        done: Done = answer
        return done

    def end(self) -> None:
        self._process.terminate()

    def join(self) -> None:
        """Waits until it has ended, and what it had started as well."""
        self._process.join()
        self.connection.close()


def _context(work: Callable[..., object]) -> SpawnContext | ForkServerContext:
    """How processes come to be: never as a fork of this one, whose PyTorch may have threads.

    On Linux they are forks of a server that has imported the work's module, PyTorch with it, and
    done nothing else: importing it takes seconds, and so it is done once for all of them.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    # `nc64c` first: it ties our packages' names to this project, whatever folders come before.
    context.set_forkserver_preload(["nc64c", work.__module__])
    return context


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


@contextmanager
def _with_our_path() -> Iterator[None]:
    """Python processes started in here look for modules where this one does, and nowhere before."""
    ours = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _worker(
    connection: Connection, work: Callable[[Job], Done], environment: dict[str, str]
) -> None:
    """One job after another, in the parent's environment, until the parent ends this process."""
    os.environ.clear()  # the server's, of which this is a fork, may be older
    os.environ.update(environment)
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
            _send(connection, answer)


def _send(connection: Connection, answer: object) -> None:
    """Hands an answer over; of an error that cannot be handed over, what it says."""
    try:
        connection.send(answer)
    except (PicklingError, AttributeError, TypeError) as error:
        if not isinstance(answer, Exception):
            answer = error
        connection.send(RuntimeError("\n".join([repr(answer), *getattr(answer, "__notes__", ())])))


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
