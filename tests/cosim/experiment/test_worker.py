"""A worker does what it is asked for, or says that it cannot."""

import shutil
import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cosim.experiment import code, worker
from cosim.experiment.code import code_hash
from cosim.experiment.shard import examine
from cosim.rtl.simulator.build import BENCH_SOURCES
from sw.common.errors import InputError
from sw.files.sources import below
from tests.support.cli import small_checkpoint
from tests.support.subjects import FakeRtl, chips_with, make_shards, make_subject

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def test_what_comes_by_its_bytes_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_rtl", lambda *_: FakeRtl())
    for given in make_shards(4):
        content = small_checkpoint(tmp_path).read_bytes()
        asked = replace(given, common=replace(given.common, checkpoint=content, code=code_hash()))
        done, expected = worker.run(asked), examine(make_subject(), given, chips_with(FakeRtl()))
        for result in (done, expected):
            result.seconds.clear()
        assert done == expected


def test_a_worker_with_other_code_refuses() -> None:
    given = make_shards(1)[0]
    with pytest.raises(InputError, match="a worker has another version of nc64c"):
        worker.run(replace(given, common=replace(given.common, code="other")))


def test_the_code_of_hardware_and_algorithm_counts_and_that_of_reports_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = (
        "hw/core/core.py",
        "sw/model/network.py",
        "cosim/golden/chip.py",
        "cosim/rtl/tb/tb.sv",
    )
    for name in (*compared, "cosim/report/page.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("before")
    monkeypatch.setattr(code, "ROOT", tmp_path)
    before = code_hash.__wrapped__()
    (tmp_path / "cosim" / "report" / "page.py").write_text("after")
    (tmp_path / "cosim" / "report" / "new.py").write_text("new")
    assert code_hash.__wrapped__() == before
    for name in compared:
        (tmp_path / name).write_text("after")
        assert code_hash.__wrapped__() != before, name
        (tmp_path / name).write_text("before")


def test_every_module_that_computes_a_shard_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are imported for it, and what the simulator is built from."""
    script = (
        "import sys, cosim.experiment.worker; "
        "print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    names = {f"cosim/rtl/{name}" for name in BENCH_SOURCES}
    for folder in ("hw", "sw", "cosim"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
        names |= {
            Path(file).relative_to(ROOT).as_posix()
            for file in printed
            if Path(file).is_relative_to(ROOT / folder)
        }
    assert names > {
        "hw/spec.py",
        "hw/core/synapse_array.py",
        "sw/integer/fold.py",
        "cosim/golden/chip.py",
        "cosim/rtl/tb/testbench.py",
    }
    monkeypatch.setattr(code, "ROOT", tmp_path)
    before = code_hash.__wrapped__()
    for name in names:
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content + b"\n")
        assert code_hash.__wrapped__() != before, name
        (tmp_path / name).write_bytes(content)
    assert code_hash.__wrapped__() == before


def test_a_new_file_counts_in_a_new_folder_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    hashes = {code_hash.__wrapped__()}
    for name in ("hw/new/part.py", "sw/new/part.py", "cosim/new/part.sv"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
        hashes.add(code_hash.__wrapped__())
    assert len(hashes) == 4


def test_what_does_not_count_is_there() -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in code.FOLDERS
        for path in below(ROOT / folder)
    ]
    for pattern in code.LEFT_OUT:
        assert any(fnmatch(name, pattern) for name in files), pattern
