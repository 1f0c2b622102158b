"""Jobs in processes: all of them done, whoever dies on the way, and nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from sw.common.errors import InputError
from sw.jobs.engine import Local
from sw.jobs.workers import TRIES, WorkerDied

ROOT = Path(__file__).parents[3]
Job = TypeVar("Job")


def square(job: int) -> int:
    return job * job


def refuse(job: int) -> int:
    if job == 2:
        raise InputError("2 is not wanted")
    return job


def setting(name: str) -> str | None:
    return os.environ.get(name)


def die_once(job: Path) -> str:
    """Dies as if killed, unless it is not the first time; then says who does the work."""
    if not job.exists():
        job.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return job.name


def die(job: int) -> int:
    if job == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


class Stubborn(Exception):
    """Cannot be handed to another process."""

    def __init__(self) -> None:
        super().__init__("stubborn")
        self.never = lambda: None


def fail_stubbornly(job: int) -> int:
    raise Stubborn


def sleep(job: Path) -> None:
    """Starts a process and waits for it; ends it if it is itself to end."""
    process = subprocess.Popen(["sleep", "600"])
    job.write_text(f"{os.getpid()} {process.pid}")
    try:
        process.wait()
    finally:
        process.kill()
        process.wait()


def makers(jobs: Iterable[Job]) -> list[Callable[[], Job]]:
    return [partial(lambda job: job, job) for job in jobs]


@pytest.mark.parametrize("value", ["one", "another"])
def test_processes_have_todays_environment(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they are forks of was started with an older one."""
    monkeypatch.setenv("NC64C_TEST_SETTING", value)
    answers = dict(Local(2, setting).run(makers(["NC64C_TEST_SETTING"] * 2)))
    assert answers == {0: value, 1: value}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2, 9])
def test_every_job_is_done(processes: int) -> None:
    assert sorted(Local(processes, square).run(makers(range(5)))) == [
        (number, number * number) for number in range(5)
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_work_raises_comes_back(processes: int) -> None:
    with pytest.raises(InputError, match="2 is not wanted"):
        list(Local(processes, refuse).run(makers(range(4))))


def test_the_work_of_one_that_died_is_given_to_another(tmp_path: Path) -> None:
    told: list[str] = []
    jobs = [tmp_path / "a", tmp_path / "b"]
    done = dict(Local(2, die_once, told.append).run(makers(jobs)))
    assert done == {0: "a", 1: "b"}
    sentence = (
        "a worker process ended without a result: it was killed, or ran out of memory;"
        " its work is given to a new one"
    )
    assert told == [sentence, sentence]


def test_work_that_always_dies_is_given_up() -> None:
    told: list[str] = []
    with pytest.raises(WorkerDied):
        list(Local(2, die, told.append).run(makers([0, 1])))
    assert len(told) == TRIES - 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_an_error_that_cannot_be_handed_over_is_said_and_kills_nobody() -> None:
    with pytest.raises(RuntimeError, match="stubborn") as caught:
        list(Local(2, fail_stubbornly).run(makers(range(2))))
    assert not isinstance(caught.value, WorkerDied)
    assert "in fail_stubbornly" in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nobody_outlives_the_one_who_asked(tmp_path: Path, how: signal.Signals) -> None:
    """Neither the workers nor what they have started."""
    code = (
        "import signal, sys\n"
        "from pathlib import Path\n"
        "from functools import partial\n"
        "from sw.jobs.engine import Local\n"
        "from tests.sw.jobs.test_engine import sleep\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))\n"
        f"    jobs = [partial(Path, {str(tmp_path)!r}, name) for name in 'ab']\n"
        "    list(Local(2, sleep).run(jobs))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 600
    files = [tmp_path / name for name in "ab"]
    while not all(file.exists() and file.read_text() for file in files):
        assert time.monotonic() < deadline, "the workers never started"
        time.sleep(0.02)
    process.send_signal(how)
    process.wait()
    started = [int(number) for file in files for number in file.read_text().split()]
    assert len(started) == 4
    while any(_lives(number) for number in started):
        assert time.monotonic() < deadline, "somebody is left"
        time.sleep(0.02)


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
