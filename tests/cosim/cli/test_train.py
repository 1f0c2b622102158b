"""`nc64c train`: options, files, and what is left when it is cut off or diverges."""

import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rich.console import Console

from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.data import datasets
from sw.files import paths
from sw.model import metrics
from sw.model.architectures import DIGITS
from sw.model.metrics import Evaluation, evaluate
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train import task as training
from sw.train.loop import Diverged, Trained
from sw.train.settings import TrainSettings
from sw.train.task import beside
from tests.support.cli import nc64c

pytestmark = pytest.mark.slow

SMALL = ("--features", "4-4-4-8", "--epochs", "2", "--quantised-epochs", "1", "--batch", "128")
# Nine gains of 1e5 multiply to more than a float32 holds.
HUGE = ("--network", "vgg9", "--width", "0.05", "--theta", "1e5", "--fc-theta", "1e5")
EPOCHS = 12  # of a training that is cut off after the first few


def _mnist(folder: Path) -> Path:
    """A folder with a few random images under MNIST's names."""
    generator = np.random.default_rng(1)
    for part, count in (("train", 40), ("t10k", 10)):
        images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = generator.integers(0, 10, count, dtype=np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(header + array.tobytes())
    return folder


def test_again_it_gives_the_same_checkpoint(tmp_path: Path) -> None:
    contents = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        result = nc64c("train", *SMALL, "--seed", seed, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert "accuracy on held-out images is float" in result.stdout
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    assert checkpoint.load(tmp_path / "a").settings.seed == 3
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a", "a.curve.jsonl", "b", "b.curve.jsonl", "c", "c.curve.jsonl"}
    assert len((tmp_path / "a.curve.jsonl").read_text().splitlines()) == 3


def test_it_starts_with_the_weights_of_a_checkpoint(tmp_path: Path) -> None:
    first, drawn, given, again = (tmp_path / name for name in ("first", "drawn", "given", "again"))
    for out, start in ((first, None), (drawn, None), (given, first), (again, first)):
        options = () if start is None else ("--start", start)
        seed = "1" if out == first else "2"
        result = nc64c("train", *SMALL, "--seed", seed, *options, "--out", out)
        assert result.exit_code == 0, result.output
    assert checkpoint.load(drawn).settings.start == ""
    assert checkpoint.load(given).settings.start == sha256(first.read_bytes()).hexdigest()
    weights = [checkpoint.load(out).float_network.chain[0].weight for out in (drawn, given)]
    assert not torch.equal(*weights)
    assert given.read_bytes() == again.read_bytes()

    other = ("--features", "4-4-4-9", "--start", first, "--out", tmp_path / "other")
    result = nc64c("train", *other)
    assert result.exit_code == 2
    sentence = "first weights: are of digits, whose layers.fc1.weight is [8, 16]: must be [9, 16]"
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "other").exists()


def test_the_digits_without_options_are_the_committed_training() -> None:
    task = training.TrainTask("digits", None, Path("x"))
    assert training.recipe(task) == TrainSettings()
    assert training.network_config(task, datasets.load("digits", "test")) == DIGITS


def test_options_reach_the_network_and_its_training(tmp_path: Path) -> None:
    out = tmp_path / "net.safetensors"
    options = (
        *("--dataset", "mnist", "--folder", _mnist(tmp_path), "--network", "vgg5"),
        *("--width", "0.0625", "--fc-width", "6", "--encoding", "latency", "--pooling", "average"),
        *("--no-norm", "--timesteps", "3", "--theta", "0.6", "--fc-theta", "0.8", "--leak", "0.75"),
        *("--bits", "2", "--seed", "9", "--epochs", "1", "--quantised-epochs", "1"),
        *("--rate", "0.002", "--quantised-rate", "0.0005", "--batch", "16", "--threads", "1"),
        *("--weight-decay", "0.02", "--augment", "--no-fast", "--validation", "8", "--out", out),
    )
    result = nc64c("train", *options)
    assert result.exit_code == 0, result.output
    loaded = checkpoint.load(out)
    assert [layer.features for layer in loaded.config.layers] == [4, 8, 8, 6]
    assert loaded.config.input_shape == (1, 28, 28)
    assert loaded.config.name == "vgg5"
    settings = (loaded.config.encoding, loaded.config.pooling, loaded.config.norm)
    assert settings == ("latency", "average", False)
    assert (loaded.config.timesteps, loaded.config.weight_bits) == (3, 2)
    thresholds = (loaded.config.theta_conv, loaded.config.theta_fc, loaded.config.leak)
    assert thresholds == (0.6, 0.8, 0.75)
    assert loaded.settings == TrainSettings(
        seed=9,
        epochs=1,
        quantised_epochs=1,
        rate=0.002,
        quantised_rate=0.0005,
        batch=16,
        weight_decay=0.02,
        threads=1,
        augment=True,
        fast=False,
        validation=8,
    )


def test_other_data_sets_have_a_recipe_for_large_networks() -> None:
    settings = training.recipe(training.TrainTask("cifar10", None, Path("x"), settings={"seed": 5}))
    assert settings.augment
    assert settings.fast
    assert (settings.batch, settings.seed) == (128, 5)


@pytest.mark.parametrize(
    ("shown", "terminal", "lines"), [(True, True, 3), (True, False, 0), (False, True, 0)]
)
def test_a_line_per_epoch_where_someone_watches(
    shown: bool, terminal: bool, lines: int, tmp_path: Path
) -> None:
    settings = {"epochs": 2, "quantised_epochs": 1, "validation": 100, "batch": 128}
    task = training.TrainTask("digits", None, tmp_path / "x", features="4-4-4-8", settings=settings)
    text = io.StringIO()
    with Progress(Console(file=text, force_terminal=terminal, width=200), shown=shown) as progress:
        training.train(task, progress)
    pattern = (
        r"(float [12]/2|quantised 1/1): loss \d\.\d{3}, accuracy \d+\.\d %, validation \d+\.\d %,"
        r" rate \d\.\de-\d\d, \d+\.\d min"
    )
    found = re.findall(pattern, re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text.getvalue()))
    assert found == ["float 1/2", "float 2/2", "quantised 1/1"][:lines]


def test_the_held_out_images_take_no_more_threads_than_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def counting(network: SpikingNetwork, images: NDArray[np.uint8]) -> Evaluation:
        counted.append(torch.get_num_threads())
        return evaluate(network, images)

    monkeypatch.setattr(metrics, "evaluate", counting)
    settings = {"epochs": 1, "quantised_epochs": 0, "threads": 3}
    task = training.TrainTask("digits", None, tmp_path / "x", features="4-4-4-8", settings=settings)
    before = torch.get_num_threads()
    training.train(task, Progress(Console(file=io.StringIO()), shown=False))
    assert counted == [3, 3]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--features", "4-4"), "features 4-4: network digits has 4 hidden layers"),
        (("--features", "4-x-4-4"), "features '4-x-4-4': must be numbers, such as 64-128-128-256"),
        (("--network", "vgg7"), "unknown network 'vgg7': must be one of digits, vgg5, vgg9"),
        (("--width", "0"), "width is 0.0: must be above 0"),
        (("--encoding", "ttfs"), "encoding 'ttfs': must be one of direct, rate, phase, latency"),
        (("--epochs", "0"), "epochs: is 0, must be an integer from 1"),
        (("--dataset", "cifar10"), "data set cifar10 needs a folder"),
        (("--dataset", "cifar10", "--folder", "/no/such"), "cifar10: /no/such is no folder"),
        (("--folder", "."), "data set digits needs no folder"),
        (("--device", "tpu"), "device 'tpu': must be cpu, cuda, or cuda:1 and so on"),
        (("--device", "cuda:99"), "device 'cuda:99': PyTorch finds no such device on this machine"),
        (("--start", "/no/such"), "checkpoint /no/such"),
        (("--validation", "2000"), "validation images: are 2000, but digits has 1347"),
        (
            (*HUGE, "--timesteps", "1", "--epochs", "2", "--quantised-epochs", "1"),
            "the gradient of layers.conv1.weight is no finite number at step 1 of 44",
        ),
    ],
)
def test_bad_options(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    result = nc64c("train", "--out", tmp_path / "x", *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def _long(out: Path) -> tuple[str | Path, ...]:
    """Options of a training that is long enough to be cut off."""
    epochs = ("--epochs", str(EPOCHS - 1), "--quantised-epochs", "1")
    return (*SMALL, *epochs, "--out", out)


def _start(out: Path) -> subprocess.Popen[str]:
    code = "from cosim.cli.app import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "train", *map(str, _long(out))],
        env=os.environ | {"CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _cut(out: Path, how: signal.Signals) -> tuple[int, str]:
    """A training that gets a signal after its first epoch; its exit code and what it said."""
    process, curve = _start(out), beside(out, "curve.jsonl")
    deadline = time.monotonic() + 1200
    while not curve.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(how)
    _, error = process.communicate(timeout=600)
    assert not out.exists()
    assert beside(out, "state").exists()
    done = len(curve.read_text().splitlines())
    assert 1 <= done < EPOCHS, "it must have been cut off on the way"
    return process.returncode, error


def test_a_killed_training_goes_on_to_the_same_checkpoint(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    _cut(cut, signal.SIGKILL)
    for out in (cut, whole):
        result = nc64c("train", *_long(out))
        assert result.exit_code == 0, result.output
    assert cut.read_bytes() == whole.read_bytes()
    assert not beside(cut, "state").exists()
    rows = [json.loads(line) for line in beside(cut, "curve.jsonl").read_text().splitlines()]
    assert len(rows) == EPOCHS


def test_an_interrupted_training_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    code, error = _cut(out, signal.SIGINT)
    assert code == 130
    assert f"Interrupted; the same command goes on from {beside(out, 'state')}." in error


def test_the_state_of_another_training_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors.state").write_bytes(b"something else")
    result = nc64c("train", *SMALL, "--out", tmp_path / "x.safetensors")
    assert result.exit_code == 2
    assert "x.safetensors.state is not a training state" in result.stderr
    assert (tmp_path / "x.safetensors.state").read_bytes() == b"something else"


@pytest.mark.parametrize("epochs", [0, 2])
def test_divergence_keeps_the_last_good_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int
) -> None:
    networks = SpikingNetwork(DIGITS).eval(), SpikingNetwork(DIGITS, 4).eval()
    for network in networks:
        network.reset(1)
    good = Trained(*networks, [{}] * epochs) if epochs else None

    def diverge(*_: Any) -> Trained:
        raise Diverged("training diverged: the loss is nan at step 3", good)

    monkeypatch.setattr(training, "train_network", diverge)
    result = nc64c("train", *SMALL, "--out", tmp_path / "x.safetensors")
    assert result.exit_code == 2
    assert "training diverged: the loss is nan at step 3" in result.stderr
    assert (tmp_path / "x.safetensors").exists() == bool(epochs)
    if epochs:
        assert "the networks after 2 epochs are in" in result.stderr
        assert checkpoint.load(tmp_path / "x.safetensors").config == DIGITS


def test_work_done_adds_up() -> None:
    for total in (1, 7, 110):
        counted: list[int] = []
        count = training.counted(1000, counted.append)
        for step in range(1, total + 1):
            count(step, total, 0.0, 0.0)
        assert sum(counted) == 1000


def test_features_are_numbers() -> None:
    with pytest.raises(InputError, match="must be numbers"):
        training.features("1-²")


def test_shrink_keeps_the_quantised_network(tmp_path: Path) -> None:
    committed, out = paths.DIGITS_CHECKPOINT, tmp_path / "small.safetensors"
    result = nc64c("shrink", committed, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.stat().st_size < 0.5 * committed.stat().st_size
    assert f"{out.stat().st_size:,} bytes instead of {committed.stat().st_size:,}" in result.stdout
    before, after = checkpoint.load(committed), checkpoint.load(out)
    assert (after.config, after.settings) == (before.config, before.settings)
    images = datasets.load("digits", "test").images[:100]
    answers = [evaluate(loaded.quantised_network, images) for loaded in (before, after)]
    assert np.array_equal(answers[0].predictions, answers[1].predictions)
    assert answers[0].spikes == answers[1].spikes


def test_shrink_what_is_no_checkpoint(tmp_path: Path) -> None:
    result = nc64c("shrink", tmp_path / "none", "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert "cannot read checkpoint" in result.stderr
    assert list(tmp_path.iterdir()) == []
