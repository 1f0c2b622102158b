"""`nc64c cosim` as a person runs it: a process of its own, real RTL on a small chip, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from sw import checkpoint
from sw.train import TrainSettings
from tests.helpers.subjects import SHAPE, make_networks

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc")

MARK = "NC64C_TEST_RUN"  # in the environment of a run and of all that it starts
PATIENCE = 180.0  # seconds; a Verilator build may come first


class Run:
    """A running `nc64c cosim` of a small network; `mark` finds its descendants."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.out = folder / "out"
        self.mark = f"{MARK}={uuid.uuid4()}"
        weights = folder / "small.safetensors"
        checkpoint.save(weights, make_networks(), TrainSettings())
        name, value = self.mark.split("=")
        command = ["-m", "cosim.cli", "cosim", "--checkpoint", str(weights), "--out", str(self.out)]
        mesh = ["--mesh", f"{SHAPE.columns}x{SHAPE.rows}"]
        cores = ["--axons", str(SHAPE.axons), "--dendrites", str(SHAPE.dendrites)]
        self.process = subprocess.Popen(
            [sys.executable, *command, *mesh, *cores, *arguments],
            env=os.environ | environment | {name: value, "CI": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> tuple[int, str, str]:
        stdout, stderr = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, stdout, stderr

    def others(self) -> list[str]:
        """Names of the processes that the run has started and that live."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != self.process.pid:
                try:
                    if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                        found.append((folder / "comm").read_text().strip())
                except OSError:  # ended meanwhile
                    continue
        return found

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.finish()
            assert time.monotonic() < deadline, "it never came to that"
            time.sleep(0.02)


def test_rtl_equals_golden(tmp_path: Path) -> None:
    run = Run(tmp_path, "--images", "4", "--sets", "clean,fgsm_16", "--jobs", "2")
    code, stdout, stderr = run.finish()
    assert (code, stderr) == (0, "")
    assert "RTL equals golden" in stdout
    summary = json.loads((run.out / "summary.json").read_text())
    assert summary["rtl"]["ticks"] == 8 * 6
    for chosen in summary["sets"].values():
        assert chosen["mismatched_spikes"] == chosen["mismatched_membranes"] == 0
        assert all(counts["rtl"] > 0 for counts in chosen["spikes"].values())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_rtl(tmp_path: Path, how: signal.Signals) -> None:
    run = Run(tmp_path, "--images", "450", "--sets", "clean", "--jobs", "2")
    run.wait_until(lambda: run.others().count("Vtop") == 2)
    run.process.send_signal(how)
    code, stdout, stderr = run.finish()
    assert code == 130
    assert stdout == ""
    assert stderr.startswith("Interrupted; nothing was written. Finished: Verilator build, float")
    assert run.others() == []
    assert not run.out.exists()


def test_interrupted_in_the_build(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run = Run(tmp_path, NC64C_CACHE=str(cache))
    run.wait_until(lambda: "cc1plus" in run.others())
    run.process.send_signal(signal.SIGINT)
    code, _, stderr = run.finish()
    assert (code, stderr) == (130, "Interrupted; nothing was written. Finished: nothing.\n")
    assert run.others() == []
    assert not list(cache.glob("building-*"))
