"""Shards of other RTL are other shards, and the record says which RTL ran."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from cosim.experiment import run, worker
from cosim.experiment.plan import Result, Shard
from cosim.experiment.resumable import run_shards
from cosim.experiment.shard import examine
from cosim.report import page
from cosim.report.ci.summary import summary
from cosim.rtl.choice import OURS, Choice
from hw.spec import ChipShape
from sw.common.progress import Progress
from sw.jobs.engine import Local
from tests.support.cli import nc64c, small_checkpoint
from tests.support.records import make_run
from tests.support.subjects import FakeRtl, chips_with, make_shards, make_subject
from tests.support.users_rtl import core_stub, design_of


def choices(folder: Path) -> list[Choice]:
    """Ours and two cores of a user's, each in both simulators."""
    first = design_of(folder, core_stub(), "my_core")
    second = design_of(folder, core_stub(body="  wire more;"), "my_core")
    chip = replace(first, core=False)
    designs = (None, first, second, chip)
    return [Choice(each, by) for each in designs for by in ("verilator", "icarus")]


def test_a_kept_shard_of_other_rtl_is_not_taken(tmp_path: Path) -> None:
    done: list[Choice] = []

    def work(shard: Shard) -> Result:
        done.append(shard.common.rtl)
        return examine(make_subject(), shard, chips_with(FakeRtl()))

    [ours] = make_shards(2, sets=("clean",))
    engine = Local(1, work)
    progress = Progress(Console(file=io.StringIO()), shown=False)
    wanted = choices(tmp_path)
    for turn in range(2):
        for choice in wanted:
            shard = replace(ours, common=replace(ours.common, rtl=choice))
            _, found = run_shards([shard], tmp_path, engine, progress)
            assert found == turn, choice
    assert done == wanted


def test_the_same_files_elsewhere_are_the_same_rtl(tmp_path: Path) -> None:
    settings = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        design = design_of(tmp_path / name, core_stub(), "my_core")
        [shard] = make_shards(1, sets=("clean",))
        settings.append(replace(shard, common=replace(shard.common, rtl=Choice(design))).settings)
    assert settings[0] == settings[1]


def test_a_worker_runs_the_rtl_that_its_shard_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Choice] = []

    def runner(choice: Choice, shape: ChipShape, *, front_door: bool) -> FakeRtl:
        asked.append(choice)
        return FakeRtl()

    monkeypatch.setattr(worker, "runner_of", runner)
    monkeypatch.setattr(run, "prepare", lambda choice, shape: 0.0)
    monkeypatch.chdir(tmp_path)
    worker._rtl.cache_clear()
    (tmp_path / "core.sv").write_text(core_stub())
    given = ("--checkpoint", small_checkpoint(tmp_path), "--images", 2, "--sets", "clean")
    size = ("--mesh", "3x2", "--axons", "256", "--dendrites", "256", "--jobs", 1, "--out", "out")
    users = ("--rtl-core", "core.sv", "--top", "my_core")
    done = nc64c("cosim", *given, *size, *users)
    worker._rtl.cache_clear()
    assert done.exit_code == 0, done.output
    assert "the core my_core of core.sv in Verilator" in done.stderr
    assert done.stderr.count("it has no back door") == 1
    assert [choice.design.top for choice in asked if choice.design is not None] == ["my_core"]
    text = (tmp_path / "out" / "report.html").read_text()
    assert "the core my_core in Verilator: core.sv, SHA-256 " in text


def test_ours_is_called_ours() -> None:
    record = make_run()
    assert Choice() == OURS
    assert summary(record)["rtl"]["design"] == "ours"
    assert summary(record)["rtl"]["files"] == {}
    assert "ours, in Verilator" in page.render(record)
