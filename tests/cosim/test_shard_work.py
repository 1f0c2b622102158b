"""A worker does what it is asked for, or says that it cannot."""

from dataclasses import replace
from pathlib import Path

import pytest

from cosim import shard, shard_work
from cosim.experiment import examine
from cosim.shard import code_hash
from sw.errors import InputError
from tests.helpers.cli import small_checkpoint
from tests.helpers.subjects import FakeRtl, make_shards, make_subject


def test_what_comes_by_its_bytes_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_work, "_rtl", lambda *_: FakeRtl())
    for given in make_shards(4):
        content = small_checkpoint(tmp_path).read_bytes()
        asked = replace(given, common=replace(given.common, checkpoint=content, code=code_hash()))
        done, expected = shard_work.run(asked), examine(make_subject(), given, FakeRtl())
        for result in (done, expected):
            result["seconds"] = {}
        assert done == expected


def test_a_worker_with_other_code_refuses() -> None:
    given = make_shards(1)[0]
    with pytest.raises(InputError, match="a worker has another version of nc64c"):
        shard_work.run(replace(given, common=replace(given.common, code="other")))


def test_the_code_of_hardware_and_algorithm_counts_and_that_of_reports_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hw/core.py", "sw/model.py", "cosim/golden.py", "cosim/tb.sv", "cosim/report.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    monkeypatch.setattr(shard, "ROOT", tmp_path)
    before = code_hash.__wrapped__()
    (tmp_path / "cosim" / "report.py").write_text("after")
    (tmp_path / "cosim" / "cli_new.py").write_text("new")
    assert code_hash.__wrapped__() == before
    for name in ("hw/core.py", "sw/model.py", "cosim/golden.py", "cosim/tb.sv"):
        (tmp_path / name).write_text("after")
        assert code_hash.__wrapped__() != before, name
        (tmp_path / name).write_text("before")
