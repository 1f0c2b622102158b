"""The cache of built simulators, with small files in their stead."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cosim.rtl.simulator import cache
from cosim.rtl.simulator.cache import FOLDER, SIMULATOR, SIZE, Cache
from sw.common.errors import InputError
from tests.support.rights import open_folder, ordinary_user

KEY = "0123456789abcdef"


@pytest.fixture
def store() -> Iterator[Cache]:
    with open_folder() as folder:
        yield Cache(folder)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "built"
    path.write_bytes(b"#!/bin/sh\necho it runs\n")
    return path


def filled(store: Cache, program: Path, count: int) -> list[Path]:
    """The executables of as many entries, each used a second later than the one before."""
    made = [store.keep(f"{number:016x}", program) for number in range(count)]
    for second, path in enumerate(made):
        os.utime(path.parent, (second, second))
    forget_use()
    return made


def forget_use() -> None:
    """As if this process had not used any."""
    for file in cache._in_use.values():
        file.close()
    cache._in_use.clear()


def test_what_is_kept_is_found_and_runs(store: Cache, program: Path) -> None:
    assert store.take(KEY) is None
    kept = store.keep(KEY, program)
    assert store.take(KEY) == kept
    assert subprocess.run([kept], capture_output=True, check=True).stdout == b"it runs\n"
    assert not list(store.folder.glob(f"{cache.STAGE}*"))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"runs", b"lies"))


def not_executable(path: Path) -> None:
    path.chmod(0o644)


def removed(path: Path) -> None:
    path.unlink()


def without_record(path: Path) -> None:
    path.with_name(cache.RECORD).unlink()


def with_a_spoilt_record(path: Path) -> None:
    path.with_name(cache.RECORD).write_text("[" * 100_000)


@pytest.mark.parametrize(
    "damage",
    [emptied, cut, changed, not_executable, removed, without_record, with_a_spoilt_record],
)
def test_a_damaged_entry_is_none_and_is_replaced(
    store: Cache, program: Path, damage: Callable[[Path], None]
) -> None:
    kept = store.keep(KEY, program)
    damage(kept)
    assert store.take(KEY) is None
    assert store.keep(KEY, program) == kept
    assert store.take(KEY) == kept
    assert subprocess.run([kept], capture_output=True, check=True).stdout == b"it runs\n"


def test_a_warm_cache_may_be_read_only(store: Cache, program: Path) -> None:
    kept = store.keep(KEY, program)
    kept.parent.chmod(0o555)
    store.folder.chmod(0o555)
    with ordinary_user():
        assert store.take(KEY) == kept
        assert store.take("0" * 16) is None
        with pytest.raises(InputError, match=rf"cannot write the cache folder .* set {FOLDER}"):
            store.check()


def test_others_can_use_what_one_user_has_built(store: Cache, program: Path) -> None:
    kept = store.keep(KEY, program)
    with ordinary_user():
        assert store.take(KEY) == kept


def test_an_unreadable_cache_is_named(store: Cache, program: Path) -> None:
    store.keep(KEY, program)
    store.folder.chmod(0o000)
    with ordinary_user():
        for use in (lambda: store.take(KEY), store.entries):
            with pytest.raises(InputError, match=r"cannot read the cache folder .*permission"):
                use()


def test_a_cache_that_is_no_folder_is_named(program: Path) -> None:
    store = Cache(program)
    assert store.take(KEY) is None
    with pytest.raises(InputError, match="cannot write the cache folder"):
        store.check()


def test_entries_and_their_size(store: Cache, program: Path) -> None:
    assert Cache(store.folder / "none").entries() == []
    made = filled(store, program, 3)
    with store.building("0" * 16):  # its lock is no entry
        entries = store.entries()
    assert [entry.path for entry in entries] == [path.parent for path in made]
    sizes = [sum(file.stat().st_size for file in path.parent.iterdir()) for path in made]
    assert [entry.size for entry in entries] == sizes
    assert store.size() == sum(sizes)


def test_the_one_used_longest_ago_is_evicted_first(store: Cache, program: Path) -> None:
    made = filled(store, program, 4)
    one = store.entries()[0].size
    assert store.take("0" * 16) == made[0]  # and so it is the one used last
    forget_use()
    gone = store.evict(2 * one)
    assert [entry.path for entry in gone] == [made[1].parent, made[2].parent]
    assert [path.exists() for path in made] == [True, False, False, True]
    assert store.size() <= 2 * one


def test_an_entry_in_use_is_never_evicted(store: Cache, program: Path) -> None:
    made = filled(store, program, 3)
    assert store.take("0" * 16)
    code = (
        "import sys; from pathlib import Path; from cosim.rtl.simulator.cache import Cache;"
        f"assert Cache(Path(sys.argv[1])).take('{1:016x}'); print('taken', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(store.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "taken\n"
    store.evict(0)
    assert [path.exists() for path in made] == [True, True, False]
    other.communicate("\n")
    store.evict(0)
    assert [path.exists() for path in made] == [True, False, False]


def test_keeping_one_evicts_others(
    store: Cache, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = filled(store, program, 3)
    monkeypatch.setenv(SIZE, "100")  # bytes: less than one
    kept = store.keep("f" * 16, program)
    assert [path.parent for path in (*made, kept) if path.exists()] == [kept.parent]


def test_entries_of_older_versions_are_evicted_too(store: Cache) -> None:
    for name in ("simulator-1", "simulator-2"):
        (store.folder / name).mkdir()
    (store.folder / "simulator-1" / SIMULATOR.file).write_bytes(bytes(100))
    (store.folder / "simulator-1.lock").touch()
    (store.folder / "simulator-2" / "half").write_bytes(bytes(100))
    store.evict(0)
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "bytes_"), [("0", 0), ("17", 17), ("3K", 3072), ("2G", 2 << 30), ("", 256 << 20)]
)
def test_the_limit(text: str, bytes_: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SIZE, text)
    assert cache.limit() == bytes_


@pytest.mark.parametrize("text", ["-1", "2 GB", "1.5G", "x", "²", "9" * 5000])
def test_a_wrong_limit_is_found_before_a_build(
    text: str, store: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIZE, text)
    with pytest.raises(InputError, match=f"{SIZE} is .*such as 256M"):
        store.check()


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("HOME")
    monkeypatch.delenv(FOLDER, raising=False)
    assert sys.platform != "linux" or cache.folder() == tmp_path / "xdg" / "nc64c"
    monkeypatch.setenv(FOLDER, "relative")
    assert cache.folder() == tmp_path / "relative"


def test_where_nobody_knows_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is in a container whose user has no name."""
    for name in ("HOME", "XDG_CACHE_HOME", FOLDER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(InputError, match=f"no home folder is known: set {FOLDER}"):
        cache.folder()
