"""The phenomena from end to end, on a very small grid of the digits."""

import dataclasses
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from sw.common.errors import InputError
from sw.jobs.engine import Local
from sw.paper import presets, worker
from sw.paper.cells import key
from sw.paper.phenomena import run, trial
from sw.paper.phenomena.grid import grid
from sw.paper.worker import Done, Job, Source
from sw.train.loop import Diverged
from tests.support.markdown import tables
from tests.sw.paper.phenomena.conftest import SCALE

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(SCALE, seeds=2, groups=4, eps=(8,), ways=("white-box", "transfer"))
SOURCE = Source(TINY, None)
PNG = b"\x89PNG\r\n\x1a\n"


class Counting(Local[Job, Done]):
    """Local, and counts what it was given to do."""

    def __init__(self) -> None:
        super().__init__(1, trial.run)
        self.jobs = 0

    def run(self, jobs: Sequence[Callable[[], Job]]) -> Iterator[tuple[int, Done]]:
        self.jobs += len(jobs)
        return super().run(jobs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it, done once."""
    out = tmp_path_factory.mktemp("phenomena")
    files = run.run(SOURCE, out, Counting())
    pictures = [f"phenomena-{name}.png" for name in ("claims", "loss", "activity")]
    assert [path.name for path in files] == ["phenomena.json", "phenomena.md", *pictures]
    return out


def test_its_command_does_it_again(folder: Path, tmp_path: Path) -> None:
    """The page has the command, and the TOML file that makes of the preset what was run."""
    text = (folder / "phenomena.md").read_text()
    assert "\n    nc64c paper phenomena --config scale.toml --out out/phenomena\n" in text
    _, behind = text.split("`scale.toml`:\n\n")
    lines, *_ = behind.split("\n\n")
    (tmp_path / "scale.toml").write_text(textwrap.dedent(lines))
    assert presets.load("phenomena", tmp_path / "scale.toml") == TINY


def test_files(folder: Path) -> None:
    found = json.loads((folder / "phenomena.json").read_text())
    assert len(found["networks"]) == 2 * 2 * 2 * 2
    assert len(found["figures"]) == 2 * 2 * 2 * 2 * 2
    text = (folder / "phenomena.md").read_text()
    assert len(tables(text)) == 2 + len(found["claims"])
    for claim in found["claims"]:
        assert f"**Verdict: {claim['verdict']}.**" in text
        assert claim["sentence"] in text
    for picture in re.findall(r"\]\((.*\.png)\)", text):
        assert (folder / picture).read_bytes().startswith(PNG)
    assert text.count(".png)") == 3
    assert "little to lose, which is not robustness" in text  # hardly trained
    listed = re.findall(r"^- (\w.*), theta (.*)$", text, re.MULTILINE)
    low = {
        (", ".join([row["batch norm"], row["training"], row["encoding"]]), str(row["theta"]))
        for row in found["figures"]
        if row["accuracy, %"] < 20
    }
    assert {(where, theta) for where, each in listed for theta in each.split(" and ")} == low


def test_a_condition_is_where_it_says(folder: Path) -> None:
    """A figure of the document, from the cell's file."""
    found = json.loads((folder / "phenomena.json").read_text())["figures"]
    (row,) = (
        row
        for row in found
        if (row["batch norm"], row["training"], row["encoding"], row["theta"], row["weights"])
        == ("no norm", "trained once", "rate", 0.8, "Q2")
    )
    losses = []
    for place, wanted in grid(TINY, *worker.images(SOURCE)).items():
        kind = place.norm, place.learnt, place.encoding, place.theta, place.weights, place.way
        if kind == ("no norm", "trained once", "rate", 0.8, "quantised", "transfer"):
            sets = json.loads((folder / f"cells/{key(wanted)}.json").read_text())["result"]["sets"]
            right = {name: sum(group["right"] for group in sets[name]) for name in sets}
            losses.append(100 * (right["clean"] - right["fgsm_8"]) / 40)
    assert len(losses) == 2
    assert row["transfer I"] == round(sum(losses) / 2, 1)


def test_nothing_is_done_twice(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("phenomena*")}
    engine = Counting()
    run.run(SOURCE, folder, engine)
    assert engine.jobs == 0
    assert {path.name: path.read_bytes() for path in folder.glob("phenomena*")} == before


def test_what_is_missing_is_done(folder: Path) -> None:
    def seconds_apart(text: str) -> str:
        return re.sub(r'"seconds": [\d.]+', "", text)

    before = seconds_apart((folder / "phenomena.json").read_text())
    for victim in sorted((folder / "networks").iterdir())[:2]:
        victim.unlink()
    cells = [path for path in (folder / "cells").iterdir() if '"groups"' in path.read_text()]
    for path in sorted(cells)[:3]:
        path.unlink()
    engine = Counting()
    run.run(SOURCE, folder, engine)
    assert engine.jobs == 5
    assert seconds_apart((folder / "phenomena.json").read_text()) == before


def test_trainings_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverges(*_: object, **__: object) -> None:
        raise Diverged("training diverged: the loss is nan at step 3", None)

    monkeypatch.setattr(worker, "train", diverges)
    run.run(SOURCE, tmp_path, Counting())
    text = (tmp_path / "phenomena.md").read_text()
    assert "16 trainings diverged and are left out." in text
    assert "**Verdict: not measured (shown under 0, refuted under 0 of 8 conditions).**" in text


def test_other_images(tmp_path: Path) -> None:
    other = Source(dataclasses.replace(TINY, test_images=39), None)
    wanted = next(iter(grid(TINY, *worker.images(SOURCE)).values()))
    with pytest.raises(InputError, match="the test images of digits are not the same"):
        trial.run(Job(wanted, other))
