"""`nc64c bench attack`: what it says, and what it refuses."""

import json
import sys
from pathlib import Path

import pytest

from sw.files.paths import DIGITS_CHECKPOINT
from tests.support.cli import nc64c


@pytest.mark.slow
def test_beside_foolbox(tmp_path: Path) -> None:
    pytest.importorskip("foolbox", reason="Foolbox is not installed (extra dev)")
    out = tmp_path / "attack.json"
    sizes = ("--images", "8", "--steps", "2", "--repeats", "2", "--threads", "1")
    result = nc64c("bench", "attack", *sizes, "--rivals", "foolbox", "--out", out)
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text())
    cost = figures["ms_per_step_and_image"]
    assert set(cost) == {"nc64c", "foolbox"}
    assert figures["times_as_fast_as"]["foolbox"] == cost["foolbox"] / cost["nc64c"]
    assert "foolbox" in figures["versions"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rivals", "cleverhans"), "unknown library 'cleverhans': must be torchattacks or "),
        (("--steps", "0"), "steps: is 0, must be an integer from 1 to 10000"),
        (("--images", "0"), "images: is 0, must be an integer from 1 to 10000"),
        (("--repeats", "-1"), "repeats: is -1, must be an integer from 1 to 10000"),
        (("--out", DIGITS_CHECKPOINT), "which is read: give another name"),
    ],
)
def test_bad_input(options: tuple[object, ...], words: str) -> None:
    result = nc64c("bench", "attack", "--images", "1", *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchattacks", None)
    result = nc64c("bench", "attack", "--rivals", "torchattacks")
    assert result.exit_code == 2
    assert "library torchattacks is not installed" in " ".join(result.stderr.split())
