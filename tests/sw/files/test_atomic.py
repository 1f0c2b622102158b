"""Files are written whole or not at all, also on a disk that fills up."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sw.common.errors import InputError
from sw.files.atomic import atomic_write


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """No file may grow over `size` bytes: a write fails half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"one")
    atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old")
    with _room_for(1000), pytest.raises(InputError, match=f"cannot write {path}: file too large"):
        atomic_write(path, bytes(5000))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("folder", "reason"), [("none", "no such file or directory"), ("file", "not a directory")]
)
def test_no_folder_to_write_into(tmp_path: Path, folder: str, reason: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / folder / "new"
    with pytest.raises(InputError, match=f"cannot write {path}: {reason}"):
        atomic_write(path, b"data")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    with pytest.raises(InputError, match=f"cannot write {path}: is a directory"):
        atomic_write(path, b"data")
    assert list(tmp_path.iterdir()) == [path]
