"""`run.json` is read with suspicion."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cosim.record import record
from cosim.record.record import Run
from sw.common.errors import InputError
from tests.support.records import make_run


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = make_run(seed=3)
    record.save(tmp_path, run)
    assert record.load(tmp_path) == run


def write(folder: Path, content: Any) -> None:
    (folder / record.RUN_FILE).write_text(json.dumps(content))


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        record.load(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        record.load(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b"[" * 100_000])
def test_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / record.RUN_FILE).write_bytes(content)
    with pytest.raises(InputError, match="damaged or no JSON"):
        record.load(tmp_path)


@pytest.mark.parametrize("content", [[], {}, {"format": "other"}, None, 3])
def test_foreign_json(tmp_path: Path, content: Any) -> None:
    write(tmp_path, content)
    with pytest.raises(InputError, match="was not written by nc64c cosim"):
        record.load(tmp_path)


def test_an_older_version(tmp_path: Path) -> None:
    write(tmp_path, make_run() | {"version": record.VERSION - 1})
    with pytest.raises(InputError, match="run nc64c cosim again"):
        record.load(tmp_path)


def spoil(run: Run, path: str, value: Any) -> Any:
    """A copy of a run with another value at a path such as "chip.columns"."""
    spoilt: Any = copy.deepcopy(run)
    *parents, last = path.split(".")
    place = spoilt
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[int(last) if last.isdigit() else last] = value
    return spoilt


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("labels", "many"),
        ("labels", []),
        ("labels.0", 1.5),
        ("rtl_images", 0),
        ("rtl_images", 201),
        ("rtl_images", 199),
        ("noise.bits", None),
        ("clock_mhz", "fast"),
        ("rtl.layers.fc1.cycles", 1.5),
        ("chip.columns", True),
        ("chip.columns", 7),
        ("chip.layers.0.cores", None),
        ("rtl.counters.flits.0.0", "12"),
        ("rtl.counters.flits", [[1]]),
        ("rtl.wall_s", "fast"),
        ("sets.clean.predictions.rtl", [1]),
        ("sets.clean.predictions", {}),
        ("sets.clean.first_mismatch", 5),
        ("examples.0.index", 200),
        ("examples.0.images.clean", [[256]]),
        ("examples.0.images.clean", [[1, 2], [3]]),
        ("examples.0.images.clean", []),
        ("examples.0.images.other", [[1]]),
        ("facts.extra", 1),
    ],
)
def test_damaged_parts_are_named(tmp_path: Path, path: str, value: Any) -> None:
    write(tmp_path, spoil(make_run(), path, value))
    with pytest.raises(InputError, match="damaged"):
        record.load(tmp_path)
