"""The command line in this process, for tests."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cosim.cli import app
from sw import checkpoint
from sw.train import TrainSettings
from tests.helpers.subjects import make_networks

SMALL_CHIP = ("--mesh", "3x2", "--axons", "256", "--dendrites", "256")


def nc64c(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def small_checkpoint(folder: Path) -> Path:
    """A checkpoint of an untrained network that fits the small chip."""
    path = folder / "small.safetensors"
    checkpoint.save(path, make_networks(), TrainSettings())
    return path
