"""Verilator's runtime: compiled once, and again when it would come out otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosim.rtl.simulator import cache, runtime
from cosim.rtl.simulator.verilate import Block, scratch, verilate

pytestmark = pytest.mark.rtl


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The folders in which it was compiled, for a cache of the test's own."""
    found: list[Path] = []

    def compile_(work: Path) -> Path:
        found.append(work)
        archive = work / "archive"
        archive.write_bytes(b"!<arch>\n")
        return archive

    monkeypatch.setattr(runtime, "_compile", compile_)
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "a $cache"))
    monkeypatch.delenv("CXX", raising=False)
    return found


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_it_is_compiled_once_and_found_at_a_path_fit_for_make(
    compiled: list[Path], tmp_path: Path
) -> None:
    first, second = (runtime.library(folder(tmp_path / name)) for name in "ab")
    assert len(compiled) == 1
    assert [path.parent.name for path in (first, second)] == ["a", "b"]
    assert first.read_bytes() == second.read_bytes() == b"!<arch>\n"
    assert runtime.library(tmp_path / "a") == first  # twice in the same folder


def test_a_damaged_one_is_compiled_again(compiled: list[Path], tmp_path: Path) -> None:
    kept = runtime.library(folder(tmp_path / "a")).resolve()
    kept.write_bytes(b"!<arch>")
    assert runtime.library(folder(tmp_path / "b")).read_bytes() == b"!<arch>\n"
    assert len(compiled) == 2


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("importlib.metadata.version", lambda name: f"{name} 99"),
        ("platform.machine", lambda: "riscv64"),
        ("cosim.rtl.simulator.runtime.find_compiler", lambda: ["echo"]),
    ],
)
def test_other_tools_and_machines_get_their_own(
    target: str,
    value: Callable[..., object],
    compiled: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime.library(folder(tmp_path / "a"))
    monkeypatch.setattr(target, value)
    runtime.library(folder(tmp_path / "b"))
    assert len(compiled) == 2


def test_it_counts_in_the_cache_and_is_evicted(compiled: list[Path], tmp_path: Path) -> None:
    kept = runtime.library(folder(tmp_path / "a")).resolve()
    store = cache.Cache(cache.folder())
    assert [entry.kind for entry in store.entries()] == [cache.RUNTIME]
    cache._in_use.pop(kept).close()
    store.evict(0)
    assert not kept.exists()


def test_a_program_is_linked_to_it() -> None:
    with scratch() as work:
        (work / "tiny.v").write_text("module tiny(input a, output b); assign b = !a; endmodule\n")
        (work / "main.cpp").write_text('#include "Vtiny.h"\nint main() { return Vtiny().a; }\n')
        flags = str(runtime.library(work))
        arguments = ("--exe", "tiny.v", work / "main.cpp")
        verilate(work, Block("tiny", "tiny", arguments, link_flags=flags))
        assert (work / "tiny" / "Vtiny").exists()
        assert not list((work / "tiny").glob("verilated*.o"))
