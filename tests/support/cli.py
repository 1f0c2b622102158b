"""The command line in this process, for tests."""

from pathlib import Path

import torch
from typer.testing import CliRunner, Result

from cosim.cli.app import app
from sw.train import checkpoint
from sw.train.settings import TrainSettings
from tests.support.subjects import make_networks

SMALL_CHIP = ("--mesh", "3x2", "--axons", "256", "--dendrites", "256")


def nc64c(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def options_of(command: object) -> set[str]:
    """All options of a command, and of those below it."""
    parameters = getattr(command, "params", [])
    found = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found


def small_checkpoint(folder: Path) -> Path:
    """A checkpoint of an untrained network that fits the small chip."""
    path = folder / "small.safetensors"
    checkpoint.save(path, make_networks(), TrainSettings())
    return path


def dead_checkpoint(folder: Path) -> Path:
    """One of a network whose neurons are so far below their thresholds that none ever fires."""
    path, dead = folder / "dead.safetensors", make_networks()
    for network in (dead.float_network, dead.quantised_network):
        for layer in network.chain:
            if layer.norm is not None and layer.theta is not None:
                torch.nn.init.constant_(layer.norm.bias, -20 * layer.theta)
    checkpoint.save(path, dead, TrainSettings())
    return path
