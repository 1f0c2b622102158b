"""`nc64c robustness`: the three ways against their definitions, and what is refused."""

import dataclasses
import json
from pathlib import Path

import pytest

from sw.attack.gradient.way import Pixels
from sw.attack.image_sets import draw_images
from sw.files.paths import DIGITS_CHECKPOINT
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.attacks import fgsm
from tests.support.cli import nc64c

OTHER = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("fc", 8)))


def _untrained(path: Path, **changes: object) -> Path:
    config = dataclasses.replace(OTHER, **changes)  # type: ignore[arg-type]
    networks = SpikingNetwork(config), SpikingNetwork(config, config.weight_bits)
    for seed, network in enumerate(networks):
        network.reset(seed)
    checkpoint.save(path, Trained(*networks), TrainSettings())
    return path


def test_three_ways(tmp_path: Path) -> None:
    other, out = _untrained(tmp_path / "other"), tmp_path / "x.json"
    options = ("--images", "60", "--seed", "5", "--eps", "8,24", "--threads", "1")
    result = nc64c("robustness", DIGITS_CHECKPOINT, "--attacker", other, *options, "--out", out)
    assert result.exit_code == 0, result.output
    document = json.loads(out.read_text())
    assert (document["images"], document["seed"]) == (60, 5)
    rows = {(row["weights"], row["way"]): row for row in document["rows"]}
    assert len(rows) == 6
    data = draw_images("digits", 60, 5)
    target, attacker = checkpoint.load(DIGITS_CHECKPOINT), checkpoint.load(other)
    for weights in ("float", "quantised"):
        network = getattr(target, f"{weights}_network")
        clean = accuracy(evaluate(network, data.images).predictions, data.labels)
        for way, source in (
            ("white-box", network),
            ("approximated", network),
            ("transfer", getattr(attacker, f"{weights}_network")),
        ):
            row = rows[weights, way]
            assert row["clean"] == clean
            for eps in (8, 24):
                how: Pixels | None = "approximated" if way == "approximated" else None
                images = fgsm(source, data.images, data.labels, eps, gradient=how)
                right = accuracy(evaluate(network, images).predictions, data.labels)
                assert row["loss"][str(eps)] == clean - right
                assert f"{clean - right:.2f}" in result.stdout
        assert rows[weights, "transfer"]["loss"] != rows[weights, "white-box"]["loss"]


def test_without_an_attack_model_there_is_no_transfer(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    options = ("--images", "5", "--eps", "8", "--threads", "1", "--quiet")
    result = nc64c("robustness", DIGITS_CHECKPOINT, *options, "--out", out)
    assert (result.exit_code, result.output) == (0, "")
    ways = [row["way"] for row in json.loads(out.read_text())["rows"]]
    assert ways == ["white-box", "approximated"] * 2


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--eps", "2,x"), "strengths '2,x': must be numbers in 1/255, such as 2,8,16"),
        (("--eps", ""), "strengths '': must be numbers"),
        (("--eps", "2,2"), "strengths '2,2': one of them is there twice"),
        (("--eps", "256"), "strength: is 256, must be an integer from 1 to 255"),
        (("--images", "0"), "0 images were asked for"),
        (("--device", "tpu"), "device 'tpu': must be cpu, cuda"),
        (("--attacker", "none"), "cannot read checkpoint none"),
        (
            ("--attacker", "classes"),
            "attack model classes takes images (1, 8, 8) of digits in 2 classes (odd, even ...)",
        ),
    ],
)
def test_bad_input(
    options: tuple[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _untrained(Path("classes"), classes=("odd", "even"))
    result = nc64c("robustness", DIGITS_CHECKPOINT, *options, "--out", "x.json")
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert not Path("x.json").exists()


def test_a_dead_network_is_said_to_have_no_gradient(tmp_path: Path) -> None:
    dead = _untrained(tmp_path / "dead", norm=False, theta_conv=1e6, theta_fc=1e6)
    result = nc64c("robustness", dead, "--images", "20", "--eps", "8", "--threads", "1")
    assert result.exit_code == 0
    for weights in ("float", "quantised"):
        for way in ("white-box", "approximated"):
            sentence = f"Warning: {weights}, {way}: the gradient is zero for all 20 images"
            assert sentence in result.stderr
    alive = nc64c("robustness", DIGITS_CHECKPOINT, "--images", "20", "--eps", "8", "--threads", "1")
    assert "gradient is zero" not in alive.stderr
