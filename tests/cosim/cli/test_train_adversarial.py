"""`nc64c train --adversarial`: the curve, the checkpoint's settings, and what is refused."""

import json
from pathlib import Path

import pytest

from sw.train import checkpoint
from sw.train.settings import Adversarial
from sw.train.task import described
from tests.support.cli import nc64c

SMALL = ("--features", "4-4-4-8", "--epochs", "1", "--quantised-epochs", "1", "--batch", "128")


@pytest.mark.slow
def test_it_trains_and_says_how(tmp_path: Path) -> None:
    out = tmp_path / "x.safetensors"
    how = ("--adversarial", "trades", "--eps", "16", "--attack-steps", "2", "--trades-weight", "3")
    result = nc64c("train", *SMALL, *how, "--validation", "50", "--out", out)
    assert result.exit_code == 0, result.stderr
    settings = checkpoint.load(out).settings
    assert settings.adversarial == Adversarial("trades", 16, 2, 3.0)
    rows = [
        json.loads(line)
        for line in (tmp_path / "x.safetensors.curve.jsonl").read_text().splitlines()
    ]
    assert [row["robust"] % 2 for row in rows] == [0, 0], "50 images make steps of 2 per cent"
    assert f", robust {rows[0]['robust']:.1f} %," in described(rows[0], settings)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--adversarial", "cw"), "adversarial 'cw': must be one of fgsm, pgd, trades"),
        (("--adversarial", "pgd", "--eps", "0"), "eps: is 0, must be an integer from 1 to 255"),
        (("--adversarial", "fgsm", "--attack-steps", "2"), "attack steps: fgsm has 1, not 2"),
        (("--eps", "8"), "--eps is of attacked images: there must be --adversarial too"),
        (("--attack-steps", "3"), "--attack-steps is of attacked images"),
        (("--trades-weight", "3"), "--trades-weight is of attacked images"),
        (
            ("--adversarial", "fgsm", "--encoding", "phase"),
            "network digits: encoding phase has no gradient by the pixels, so there is no",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    result = nc64c("train", *SMALL, *options, "--out", tmp_path / "x.safetensors")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
