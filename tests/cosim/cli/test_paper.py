"""`nc64c paper`: from the command line to the files, and what the user can put right."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sw.paper.cells import EXPERIMENTS
from tests.support.cli import nc64c

pytestmark = pytest.mark.slow

TINY = """
dataset = "digits"
train_images = 256
test_images = 40
width = 0.125
timesteps = 2
epochs = 1
quantised_epochs = 1
batch = 32
encodings = ["direct", "latency"]
ways = ["white-box"]
augment = false
fast = false
"""


def _config(folder: Path, more: str = "") -> Path:
    path = folder / "config.toml"
    path.write_text(TINY + more)
    return path


def test_table_1_and_again(tmp_path: Path) -> None:
    arguments = ("paper", "table1", "--config", _config(tmp_path), "--out", tmp_path / "out")
    first = nc64c(*arguments)
    assert first.exit_code == 0, first.output
    names = ["table1.json", "table1.md", "table1.png"]
    assert first.stdout.split() == [str(tmp_path / "out" / name) for name in names]
    document = json.loads((tmp_path / "out" / "table1.json").read_text())
    assert document["scale"]["test_images"] == 40
    cell = next((tmp_path / "out" / "cells").iterdir())
    cell.write_text("{")
    second = nc64c(*arguments)
    assert second.exit_code == 0
    assert f"cell {cell} is damaged: it is no whole JSON document; it is made anew" in second.stderr
    assert json.loads(cell.read_text())["result"]


def test_phenomena(tmp_path: Path) -> None:
    """Two networks with and two without norm: too few to decide anything of what is left."""
    more = 'network = "vgg5"\nseeds = 2\ngroups = 4\nthetas = [0.4]\neps = [8]\n'
    arguments = ("paper", "phenomena", "--config", _config(tmp_path, more))
    result = nc64c(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    files = [Path(name) for name in result.stdout.split()]
    assert [path.suffix for path in files] == [".json", ".md", ".png", ".png", ".png"]
    assert all(path.exists() for path in files)
    assert [claim["claim"] for claim in json.loads(files[0].read_text())["claims"]] == [
        "direct encoding",
        "direct encoding, by share",
        "quantisation",
    ]


def test_phenomena_without_an_attack(tmp_path: Path) -> None:
    text = TINY.replace('"white-box"', '"approximated"')
    (tmp_path / "config.toml").write_text(text)
    arguments = ("--config", tmp_path / "config.toml", "--out", tmp_path / "out")
    result = nc64c("paper", "phenomena", *arguments)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: ways: of the phenomena they must be white-box, transfer or both\n"
    )


def test_help_names_all_experiments() -> None:
    shown = nc64c("paper", "--help").stdout
    assert all(name in shown for name in (*EXPERIMENTS, "phenomena"))
    assert "--scheduler" in nc64c("paper", "table2", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--preset", "gpu"), "unknown preset 'gpu': must be one of cpu, phenomena, paper"),
        (("--preset", "cpu"), "data set cifar10 needs a folder"),
        (("--data", "nowhere"), "data set cifar10: nowhere is no folder"),
        (("--config", "none.toml"), "cannot read config none.toml: no such file or directory"),
        (("--out", "config.toml"), "output folder config.toml is a file"),
        (("--config", "wrong.toml"), "config wrong.toml: unknown key 'ephocs'"),
        (("--config", "large.toml"), "train_images: is 5000, but digits has 1347"),
        (("--device", "cuda:99"), "device 'cuda:99': PyTorch finds no such device"),
        (("--scheduler", "tcp://127.0.0.1:9"), "scheduler tcp://127.0.0.1:9: no Dask scheduler"),
    ],
)
def test_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str], sentence: str
) -> None:
    if "--scheduler" in arguments:
        pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sw.jobs.engine.CONNECT_SECONDS", 0.2)
    _config(tmp_path)
    (tmp_path / "wrong.toml").write_text("ephocs = 3")
    (tmp_path / "large.toml").write_text(TINY.replace("= 256", "= 5000"))
    result = nc64c("paper", "table1", "--out", "out", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {sentence}")
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out" / "table1.json").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_it_says_what_is_kept(tmp_path: Path, jobs: int) -> None:
    """Terminated in the middle of training: exit code 130, and no process stays."""
    config = _config(tmp_path).read_text().replace("epochs = 1\n", "epochs = 5000\n", 1)
    (tmp_path / "long.toml").write_text(config)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cosim.cli.app", "paper", "table1", "--jobs", str(jobs)]
    process = subprocess.Popen(
        [*command, "--config", str(tmp_path / "long.toml"), "--out", str(out)],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    deadline = time.monotonic() + 1200
    while not list(out.glob("networks/*.state")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 130
    assert errors.startswith("Interrupted; what is finished is in ")
    assert "the same command goes on from there. Finished: nothing." in errors
    assert _ends(process.pid)


def _ends(group: int) -> bool:
    """Whether a process group has no process left; Python's own helper ends after its parent."""
    for _ in range(400):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
