"""`nc64c cosim` as a process of its own, and a look at the processes that it starts."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sw.train import checkpoint
from sw.train.settings import TrainSettings
from tests.support.subjects import SHAPE, make_networks

MARK = "NC64C_TEST_RUN"  # in the environment of a run and of all that it starts
PATIENCE = 1800.0  # seconds: it ends a test that hangs, and says nothing of speed


def foreign_packages(folder: Path) -> Path:
    """Makes it the folder of another project, with packages of our names; returns it."""
    for name in ("hw", "sw", "cosim"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text('raise SystemExit("a foreign package")\n')
    return folder


class Run:
    """A running `nc64c cosim` of a small network; `mark` finds its descendants.

    It is started in this process's folder, or in `cwd`.
    """

    def __init__(
        self, folder: Path, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> None:
        self.out = folder / "out"
        self.shards = self.out / "shards"
        self.mark = f"{MARK}={uuid.uuid4()}"
        weights = folder / "small.safetensors"
        checkpoint.save(weights, make_networks(), TrainSettings())
        name, value = self.mark.split("=")
        command = ["-m", "nc64c", "cosim", "--checkpoint", str(weights), "--out", str(self.out)]
        mesh = ["--mesh", f"{SHAPE.columns}x{SHAPE.rows}"]
        cores = ["--axons", str(SHAPE.axons), "--dendrites", str(SHAPE.dendrites)]
        self.process = subprocess.Popen(
            [sys.executable, *command, *mesh, *cores, *arguments],
            cwd=cwd,
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
        return list(self.started().values())

    def started(self) -> dict[int, str]:
        """Their names, by number."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != self.process.pid:
                try:
                    if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                        name = (folder / "comm").read_text().strip()
                        if (folder / "cmdline").read_bytes():  # a zombie has none
                            found[int(folder.name)] = name
                except OSError:  # ended meanwhile
                    continue
        return found

    def finished(self) -> list[Path]:
        """The files of its finished shards."""
        return sorted(self.shards.glob("*.json"))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.finish()
            assert time.monotonic() < deadline, "it never came to that"
            time.sleep(0.02)
