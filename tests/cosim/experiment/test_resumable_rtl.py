"""Runs that are cut off, killed, or lose a file: what comes out in the end is the same.

On the real RTL of a small chip, in the processes that a person's run has.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cosim.experiment.resumable import FOLDER
from tests.support.processes import Run

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]

ARGUMENTS = ("--images", "220", "--golden-images", "420", "--sets", "clean")
SHARDS = 3 + 3  # with RTL, and for the golden model alone
SECONDS = ("wall_s", "images_per_s", "process_s", "build_s")


def results(run: Run) -> dict[str, Any]:
    """Its summary but for times, and all of the record that a machine has no part in."""
    summary = json.loads((run.out / "summary.json").read_text())
    for name in SECONDS:
        del summary["rtl"][name]
    record = json.loads((run.out / "run.json").read_text())
    kept = {key: record[key] for key in ("sets", "examples", "labels", "chip")}
    return {**summary, **kept, "layers": record["rtl"]["layers"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody disturbs, one shard after the other."""
    run = Run(tmp_path_factory.mktemp("whole"), *ARGUMENTS, "--jobs", "1")
    code, _, stderr = run.finish()
    assert (code, stderr) == (0, "")
    assert len(run.finished()) == SHARDS
    return run


def test_the_main_process_is_killed(tmp_path: Path, whole: Run) -> None:
    """Finished shards are never written again, nobody lives on, and one process finishes it."""
    run = Run(tmp_path, *ARGUMENTS, "--jobs", "2")
    run.wait_until(lambda: len(run.finished()) >= 2)
    run.process.kill()
    run.process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in run.finished()}
    assert 2 <= len(kept) < SHARDS
    again = Run(tmp_path, *ARGUMENTS, "--jobs", "1")
    code, stdout, stderr = again.finish()
    assert (code, stderr) == (0, "")
    assert f"{SHARDS} shards, {len(kept)} of them finished before" in stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert results(again) == results(whole)
    assert run.others() == []


def test_a_worker_is_killed(tmp_path: Path, whole: Run) -> None:
    run = Run(tmp_path, *ARGUMENTS, "--jobs", "2")
    run.wait_until(lambda: len(run.finished()) >= 1)
    servers = [number for number in run.started() if parent(number) == run.process.pid]
    workers = [number for number in run.started() if parent(number) in servers]
    simulating = [number for number in workers if number in map(parent, run.started())]
    os.kill(simulating[0] if simulating else workers[-1], signal.SIGKILL)
    code, _, stderr = run.finish()
    assert code == 0
    assert "its work is given to a new one" in stderr
    assert results(run) == results(whole)
    assert run.others() == []


def parent(number: int) -> int | None:
    """The parent of a process; None if it has ended."""
    try:
        return int(Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_damaged_shards_are_named_and_done_again(tmp_path: Path, whole: Run) -> None:
    """One has another byte, and one is cut."""
    folder = tmp_path / "out" / FOLDER
    folder.mkdir(parents=True)
    for path in whole.finished():
        (folder / path.name).write_bytes(path.read_bytes())
    victims = sorted(folder.iterdir(), key=lambda path: path.stat().st_size)[-2:]
    changed, cut = (bytearray(path.read_bytes()) for path in victims)
    changed[len(changed) // 2] ^= 1
    del cut[-100:]
    for path, content in zip(victims, (changed, cut), strict=True):
        path.write_bytes(content)
    run = Run(tmp_path, *ARGUMENTS, "--jobs", "2")
    code, stdout, stderr = run.finish()
    assert code == 0
    sentences = stderr.splitlines()
    assert len(sentences) == len(victims)
    for path in victims:
        [sentence] = [line for line in sentences if str(path) in line]
        assert sentence.startswith(f"shard {path} is damaged: ")
        assert sentence.endswith("; it is done again")
        assert json.loads(path.read_text())["result"] is not None
    assert f"{SHARDS} shards, {SHARDS - len(victims)} of them finished before" in stdout
    assert results(run) == results(whole)


# ---------------------------------------------------------------- Dask
class Cluster:
    """A scheduler and a worker as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.folder = folder
        self.scheduler = self._start("scheduler", "--scheduler-file", self.file, "--port", "0")
        self.workers = [self.worker()]

    def worker(self) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", self.folder)
        return self._start("worker", "--scheduler-file", self.file, *options)

    def _start(self, what: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = ["-m", "distributed.cli.dask_" + what, *map(str, arguments)]
        with (self.folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command, "--no-dashboard"], stdout=log, stderr=log
            )

    @property
    def address(self) -> str:
        address: str = json.loads(self.file.read_text())["address"]
        return address

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
    made = Cluster(tmp_path)
    yield made
    made.close()


def on_cluster(folder: Path, cluster: Cluster) -> Run:
    deadline = time.monotonic() + 600
    while not cluster.file.exists() or not cluster.file.read_text():
        assert time.monotonic() < deadline, "no scheduler came up"
        time.sleep(0.05)
    return Run(folder, *ARGUMENTS, "--scheduler", cluster.address)


def test_a_dask_worker_is_killed(tmp_path: Path, whole: Run, cluster: Cluster) -> None:
    run = on_cluster(tmp_path, cluster)
    run.wait_until(lambda: len(run.finished()) >= 1)
    cluster.workers.append(cluster.worker())
    cluster.workers[0].kill()
    code, _, stderr = run.finish()
    assert code == 0, stderr
    assert results(run) == results(whole)


def test_the_dask_scheduler_is_killed(tmp_path: Path, whole: Run, cluster: Cluster) -> None:
    run = on_cluster(tmp_path, cluster)
    run.wait_until(lambda: len(run.finished()) >= 1)
    cluster.scheduler.kill()
    code, _, stderr = run.finish()
    assert code == 2
    assert "has gone: start it and its workers again" in stderr
    kept = len(run.finished())
    assert 1 <= kept < SHARDS
    again = Run(tmp_path, *ARGUMENTS, "--jobs", "2")
    code, stdout, stderr = again.finish()
    assert (code, stderr) == (0, "")
    assert f"{SHARDS} shards, {kept} of them finished before" in stdout
    assert results(again) == results(whole)
