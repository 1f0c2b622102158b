"""`nc64c verify`, `fuzz`, `replay`, with the golden model in the RTL's place: what they leave."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from cosim.cli.findings import triage
from cosim.program.runner import Runner
from cosim.verify.fuzz import campaign
from cosim.verify.triage.folder import FILES
from sw.common.errors import InputError
from sw.common.progress import Progress
from tests.support.as_rtl import Hanging, Right, Wrong
from tests.support.cli import nc64c

SMALL = ("--mesh", "1x1", "--axons", 64, "--dendrites", 16)
CASE = """\
nc64c case 1
chip 1x1 axons 64 dendrites 16
core 0,0
  plane-weights 1
  trace
  reset subtract
  neuron 0 threshold 3 bias 5
steps
tick
read membrane 0 count 1 from 0,0
wait
"""


def chip(monkeypatch: pytest.MonkeyPatch, runner: Runner) -> None:
    """The commands find this chip, and nothing that records waves."""

    def no_waves(*_: object, **__: object) -> Runner:
        raise InputError("nothing records waves here")

    monkeypatch.setattr(campaign, "BATCH_CASES", 6)
    monkeypatch.setattr(campaign, "chip", lambda choice, shape: runner)
    monkeypatch.setattr("cosim.rtl.choice.runner_of", lambda *_, **__: runner)
    monkeypatch.setattr("cosim.rtl.choice.recorder_of", no_waves)
    monkeypatch.setattr("cosim.rtl.choice.prepare", lambda *_: 0.0)


def command(name: str, folder: Path) -> tuple[object, ...]:
    """A short run of a command, which leaves things in `folder`."""
    out = ("--out", folder / "out", "--junit", folder / "junit.xml")
    if name == "replay":
        (folder / "case.txt").write_text(CASE)
        return ("replay", folder / "case.txt", *out)
    if name == "fuzz":
        return ("fuzz", *SMALL, "--jobs", 1, "--seed", 9, "--count", 12, *out)
    return ("verify", *SMALL, *out)


def suite(folder: Path) -> ElementTree.Element:
    return ElementTree.parse(folder / "junit.xml").getroot()[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["verify", "fuzz", "replay"])
def test_a_difference_is_explained_and_goes_when_it_is_gone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mismatch = tmp_path / "out" / "mismatch"
    chip(monkeypatch, Wrong())
    result = nc64c(*command(name, tmp_path))
    assert result.exit_code == 1, result.output
    assert f"triage: {mismatch}" in result.stderr
    left = {path.name for path in mismatch.iterdir()}
    assert left == {"explanation.txt", "terms.txt", "replay.txt"}
    assert "RESET_MODE" in (mismatch / "explanation.txt").read_text()
    found = suite(tmp_path)
    [failed, *_] = [case for case in found if case.find("failure") is not None]
    words = "".join(failed.itertext())
    for attached in ("mismatch/replay.txt", "mismatch/explanation.txt"):
        assert f"[[ATTACHMENT|out/{attached}]]" in words, words
    case = {"replay": "case.txt", "fuzz": "out/case-9.txt", "verify": "out/registers.txt"}[name]
    assert f"[[ATTACHMENT|{case}]]" in words

    (mismatch / "rtl.fst").write_bytes(b"of yet another run")
    (mismatch / "notes.txt").write_text("a user's own")
    chip(monkeypatch, Right())
    result = nc64c(*command(name, tmp_path))
    assert result.exit_code == 0, result.output
    assert [path.name for path in mismatch.iterdir()] == ["notes.txt"]
    (mismatch / "notes.txt").unlink()
    for file in FILES:
        (mismatch / file).write_text("old")
    assert nc64c(*command(name, tmp_path)).exit_code == 0
    assert not mismatch.exists()
    assert suite(tmp_path).get("failures") == "0"
    assert int(suite(tmp_path).get("tests", 0)) >= 1


def test_a_run_without_a_difference_takes_the_old_folder_away(tmp_path: Path) -> None:
    """What `nc64c cosim` and `nc64c noise` do at the end of a run."""
    (tmp_path / "mismatch").mkdir()
    for file in FILES:
        (tmp_path / "mismatch" / file).write_text("old")
    settings: Any = SimpleNamespace(out=tmp_path)
    run: Any = SimpleNamespace(sets={"clean": SimpleNamespace(failing=None)})
    with Progress(Console(), shown=False) as progress:
        assert not triage.after(settings, run, progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["verify", "fuzz", "replay"])
def test_files_that_cannot_be_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip(monkeypatch, Right())
    (tmp_path / "junit.xml").mkdir()
    assert nc64c(*command(name, tmp_path)).exit_code == 2
    (tmp_path / "junit.xml").rmdir()
    (tmp_path / "out").write_text("a file")
    result = nc64c(*command(name, tmp_path))
    assert result.exit_code == 2, result.output
    assert "is a file" in result.stderr


def test_fuzz_and_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip(monkeypatch, Right())
    small = (*SMALL, "--jobs", 1)
    result = nc64c("fuzz", *small, "--count", 6, "--out", tmp_path / "good")
    assert result.exit_code == 0, result.output
    assert "RTL equals the golden model" in result.stdout
    assert "configurations/s, on 1x1 64x16" in result.stdout
    assert not (tmp_path / "good").exists()

    chip(monkeypatch, Wrong())
    result = nc64c("fuzz", *small, "--seed", 9, "--out", tmp_path / "bad", "-q")
    assert result.exit_code == 1, result.output
    path = tmp_path / "bad" / "case-9.txt"
    assert "RTL and golden model differ" in result.stderr
    assert f"nc64c replay {path}" in result.stderr

    for runner, code in ((Wrong(), 1), (Right(), 0)):
        chip(monkeypatch, runner)
        for file in (path, tmp_path / "bad" / "mismatch" / "replay.txt"):
            result = nc64c("replay", file, "--out", tmp_path / "again")
            assert result.exit_code == code, result.output
            verdict = "RTL and golden model differ" if code else "equals the golden model: 1 core"
            assert verdict in result.output


def test_a_chip_that_hangs_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip(monkeypatch, Hanging())
    result = nc64c(*command("replay", tmp_path))
    assert result.exit_code == 1, result.output
    assert "RTL and golden model differ: the RTL hangs" in result.stderr
    assert "hangs" in (tmp_path / "out" / "mismatch" / "explanation.txt").read_text()
    assert suite(tmp_path).get("failures") == "1"


def test_the_replay_file_of_a_folder_that_would_be_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip(monkeypatch, Right())
    file = tmp_path / "mismatch" / "replay.txt"
    file.parent.mkdir()
    file.write_text(CASE)
    result = nc64c("replay", file, "--out", tmp_path)
    assert result.exit_code == 2, result.output
    assert "give another name" in result.stderr
    assert file.read_text() == CASE


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "case.txt"
    for text, sentence in (
        ("nc64c case 7\n", "version '7', this nc64c reads version 1"),
        ("hello\n", "is no case file"),
        ("nc64c case 1\nchip 1x1 axons 64 dendrites 16\nsteps\nflit 0x1\n", "has no end"),
        ("nc64c case 1\nchip 1x1 axons 64 dendrites 16\nsteps\nspike axons 70 to 0,0\nwait\n",
         "no chip can take this case: a spike for axon 70 of 64"),
    ):  # fmt: skip
        path.write_text(text)
        result = nc64c("replay", path)
        assert result.exit_code == 2, result.output
        assert sentence in " ".join(result.stderr.split())
        assert len(result.stderr.splitlines()) == 1
    assert nc64c("replay", tmp_path / "none.txt").exit_code == 2
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert nc64c("fuzz", "--count", 1, "--out", blocked).exit_code == 2
