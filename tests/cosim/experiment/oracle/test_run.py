"""The command: what it refuses, makes and keeps, and what it says of RTL that differs."""

import json
from pathlib import Path

import numpy as np
import pytest

from cosim.cli.findings import triage
from cosim.experiment.oracle import run, worker
from cosim.program.runner import Runner
from cosim.rtl.played import Trace
from hw.spec import FLIT, Region
from sw.common.errors import InputError
from sw.jobs import engine
from tests.support.cli import nc64c
from tests.support.subjects import FakeRtl, Responses

SMALL = ("--images", 3, "--rtl-images", 3, "--queries", 2, "--eps", 40, "--attacks", "fgsm")


def drop_a_spike(responses: Responses) -> None:
    """Of the second image, or of the only one."""
    steps = responses[min(1, len(responses) - 1)]
    for number, flits in enumerate(steps):
        spikes = np.flatnonzero(FLIT.get(flits, "region") == int(Region.SPIKE))
        if len(spikes):
            steps[number] = np.delete(flits, spikes[0])
            return


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRtl:
    """In the place of the RTL, in the run and in its triage, where it has no waves."""
    rtl = FakeRtl()

    def make(trace: Trace | None) -> Runner:
        if trace is not None:
            raise InputError("it has no waves")
        return rtl

    worker._rtl.cache_clear()
    monkeypatch.setattr(worker, "runner_of", lambda *_: rtl)
    monkeypatch.setattr(run, "prepare", lambda *_: 0.0)
    monkeypatch.setattr(triage, "_maker", lambda *_, **__: make)
    return rtl


def test_rtl_that_differs_is_exit_code_1_and_left_to_be_replayed(
    fake: FakeRtl, tmp_path: Path
) -> None:
    fake.fault = drop_a_spike
    chips = ("--chips", "noise_14+stuck_2", "--draws", "1", "--jobs", 1, "--out", tmp_path)
    result = nc64c("oracle", *SMALL, *chips, "--quiet")
    assert result.exit_code == 1, result.output
    assert "noise_14+stuck_2: of images 0 on, image 1, tick" in result.stderr
    assert f"triage: {tmp_path / 'mismatch'}" in result.stderr
    left = {path.name for path in (tmp_path / "mismatch").iterdir()}
    assert {"replay.txt", "explanation.txt"} <= left
    found = json.loads((tmp_path / "oracle.json").read_text())
    assert all(row["mismatches"] == 1 for row in found["chips"]["noise_14+stuck_2"])
    worker._rtl.cache_clear()


def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    some = ("--images", 60, "--rtl-images", 0, "--draws", "1", "--attacks", "fgsm")
    found = []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        more = ("--chips", "noise_14", "--jobs", jobs, "--out", out, "--quiet")
        assert nc64c("oracle", *some, *more).exit_code == 0
        found.append(json.loads((out / "oracle.json").read_text()) | {"command": ""})
    assert found[0] == found[1]


def test_what_is_kept_takes_no_process_and_no_rtl(
    fake: FakeRtl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then a piece is damaged: that one is done again, and said so once."""
    order = (*SMALL, "--chips", "noise_14", "--draws", "1", "--out", tmp_path)
    assert nc64c("oracle", *order, "--jobs", 1).exit_code == 0
    first = json.loads((tmp_path / "oracle.json").read_text()) | {"command": ""}
    with monkeypatch.context() as patch:
        for place, name in ((engine, "Team"), (run, "prepare"), (worker, "runner_of")):
            patch.setattr(place, name, lambda *_: pytest.fail("there is nothing to do"))
        worker._rtl.cache_clear()
        result = nc64c("oracle", *order, "--jobs", 2)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "oracle.json").read_text()) | {"command": ""} == first
    next((tmp_path / "pieces").iterdir()).write_text("{")
    result = nc64c("oracle", *order, "--jobs", 1)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("it is done again") == 1
    assert json.loads((tmp_path / "oracle.json").read_text()) | {"command": ""} == first
    worker._rtl.cache_clear()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--queries", "0", "queries: is 0, must be an integer from 1 to 10000"),
        ("--eps", "0", "eps: is 0, must be an integer from 1 to 255"),
        ("--draws", "0", "draws: is 0, must be an integer from 1 to 100"),
        ("--draws", "1,x", "draws '1,x': must be whole numbers, such as 1,4"),
        ("--draws", "2,2", "draws '2,2': one of them is there twice"),
        ("--images", "0", "images: is 0, must be an integer from 1 to"),
        ("--rtl-images", "101", "images in RTL: is 101, must be an integer from 0 to 100"),
        ("--attacks", "square,moon", "unknown attack 'moon'"),
        ("--attacks", "insert", "unknown attack 'insert'"),  # it is of spikes
        ("--chips", "moon", "unknown chip 'moon'"),
        ("--device", "moon", "device 'moon'"),
    ],
)
def test_what_cannot_be_done(tmp_path: Path, option: str, value: str, message: str) -> None:
    result = nc64c("oracle", "--out", tmp_path / "out", option, value)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.rtl
def test_the_command(tmp_path: Path) -> None:
    small = ("--images", 6, "--rtl-images", 2, "--queries", 4, "--draws", "1,2", "--eps", 40)
    chips = ("--chips", "plain,noise_14+stuck_2", "--attacks", "fgsm,square")
    result = nc64c("oracle", *small, *chips, "--out", tmp_path, "--jobs", 1)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "oracle.json").read_text())
    plain, other = found["chips"].values()
    assert (len(plain), len(other)) == (1 + 4 + 1, 1 + 4 + 6)
    for row in (*plain, *other):
        assert row["rtl"] == row["golden"][:2]
        assert row["mismatches"] == 0
        assert row["compared_spikes"] > 100
    text = (tmp_path / "oracle.md").read_text()
    assert "0 mismatches" in text
    assert "## Noise: fgsm" in text
    assert (tmp_path / "oracle.png").stat().st_size > 10_000
    assert text in result.output + "\n"
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "pieces").iterdir()}
    assert nc64c("oracle", *small, *chips, "--out", tmp_path, "--jobs", 1).exit_code == 0
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "pieces").iterdir()}
    again = json.loads((tmp_path / "oracle.json").read_text())
    assert {**again, "command": ""} == {**found, "command": ""}
