"""The check of speed against kept figures: what is compared, what is worse, what is no figure."""

import json
from pathlib import Path

import pytest

from cosim.bench.check import costs, kept
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.cli import nc64c

SMALL = ChipShape(2, 2, 64, 64)
THEN = {"RTL": 10.0, "golden": 4.0}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kept.json"
    kept.write(path, THEN)
    return path


@pytest.mark.rtl
def test_what_is_measured_is_what_the_checkout_keeps() -> None:
    found = costs.measure(seed=1, repeats=1, shape=SMALL)
    assert found.keys() == kept.read(kept.KEPT).costs.keys()


def test_what_was_kept_is_read(file: Path) -> None:
    assert kept.read(file).costs == THEN
    assert kept.read(file).versions["numpy"]


@pytest.mark.parametrize(
    ("now", "code", "says"),
    [
        ({"RTL": 15.9, "golden": 1.0}, 0, ""),
        (
            {"RTL": 16.1, "golden": 1.0},
            4,
            "RTL: costs 1.61 times what was kept, must be at most 1.6",
        ),
    ],
)
def test_exit_codes(
    file: Path,
    now: dict[str, float],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(costs, "measure", lambda _seed, _repeats: now)
    out = tmp_path / "now.json"
    result = nc64c("bench", "check", "--kept", file, "--out", out)
    assert (result.exit_code, result.stderr.strip()) == (code, says)
    assert kept.read(out).costs == now


def test_other_models_than_were_kept(file: Path) -> None:
    with pytest.raises(InputError, match="are RTL, golden, must be RTL, batched: make them anew"):
        kept.changes(kept.read(file), {"RTL": 1.0, "batched": 1.0})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"costs": {}}, "costs must be above 0"),
        ({"costs": {"RTL": 0.0}}, "costs must be above 0"),
        ({"costs": {"RTL": "fast"}}, "expected .*float"),
        ({"version": 2}, "version"),
        (None, "it is no JSON"),
    ],
)
def test_what_is_no_figure(file: Path, change: dict[str, object] | None, message: str) -> None:
    text = "{" if change is None else json.dumps(json.loads(file.read_text()) | change)
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        kept.read(file)
    result = nc64c("bench", "check", "--kept", file)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1


def test_nothing_was_kept(tmp_path: Path) -> None:
    result = nc64c("bench", "check", "--kept", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "there are none; make some with" in result.stderr
