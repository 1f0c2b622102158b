"""A very small experiment on the digits, done once for all of these tests."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from sw.jobs.engine import Local
from sw.paper import run, worker
from sw.paper.presets import Scale
from sw.paper.worker import Source

TINY = Scale(
    dataset="digits",
    train_images=128,
    test_images=40,
    width=0.125,
    timesteps=2,
    epochs=2,
    quantised_epochs=1,
    batch=32,
    encodings=("direct", "rate"),
    thetas=(0.4, 1.0),
    augment=False,
)
SOURCE = Source(TINY, None)


@dataclass(frozen=True)
class Finished:
    """A folder with Table 1 in it, and the files that were named."""

    folder: Path
    files: list[Path]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Table 1 of the tiny scale, done in this process; not to be changed."""
    folder = tmp_path_factory.mktemp("table1")
    return Finished(folder, run.run("table1", SOURCE, folder, Local(1, worker.run)))
