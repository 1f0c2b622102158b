"""`nc64c bench train`: figures of a small network, and libraries that are not there."""

import json
from pathlib import Path

import pytest
import torch

from cosim.bench.rivals import training as rivals
from sw.model.architectures import DIGITS, named
from tests.support.cli import nc64c

pytestmark = pytest.mark.slow

SMALL = ("--width", "0.03", "--batch", "4", "--steps", "2", "--threads", "1")


def test_figures_are_printed_and_written(tmp_path: Path) -> None:
    pytest.importorskip("snntorch", reason="snntorch is in the extra dev")
    out = tmp_path / "bench.json"
    result = nc64c("bench", "train", *SMALL, "--rivals", "snntorch", "--out", out)
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    assert figures["features"] == "2-4-4-8"
    assert figures["images_per_s"].keys() == {"nc64c", "nc64c-float32", "snntorch"}
    for rates in figures["images_per_s"].values():
        assert 0 < rates["median"] <= rates["best"]
    medians = {name: rates["median"] for name, rates in figures["images_per_s"].items()}
    for name, key in (("nc64c", ""), ("nc64c-float32", "_float32")):
        ratio = medians[name] / medians["snntorch"]
        assert figures[f"times_the_fastest_rival{key}"] == pytest.approx(ratio)
    assert "snntorch" in result.stdout
    assert "x the faster one" in result.stdout


def test_the_layers_are_the_same() -> None:
    pytest.importorskip("snntorch", reason="snntorch is in the extra dev")
    config = named("vgg5", DIGITS, width=0.1)
    ours, _ = rivals._ours(config, bfloat16=True)
    theirs, scores = rivals._rival("snntorch", config)
    weights = [
        sorted(value.numel() for value in model.parameters() if value.dim() > 1)
        for model in (ours, theirs)
    ]
    assert weights[0] == weights[1]
    assert scores(torch.rand(3, *config.input_shape)).shape == (3, 10)


@pytest.mark.parametrize("name", ["norse", "nc64d"])
def test_unknown_libraries(tmp_path: Path, name: str) -> None:
    result = nc64c("bench", "train", *SMALL, "--rivals", name, "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert f"unknown library '{name}': must be one of nc64c, nc64c-float32, " in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_library_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rivals.LIBRARIES, "spikingjelly", "no_such_library")
    result = nc64c("bench", "train", *SMALL, "--rivals", "spikingjelly")
    assert result.exit_code == 2
    assert "spikingjelly cannot be imported (No module named 'no_such_library')" in result.stderr
