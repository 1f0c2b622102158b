"""Folders and files for results: refused early, filled together, left alone after a failure."""

from pathlib import Path

import pytest

from sw.common.errors import InputError
from sw.files import output


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_files_appear_together_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "both").write_text("old")
    with output.staged(tmp_path) as stage:
        (stage / "both").write_text("new")
        (stage / "new").write_text("new")
        assert (tmp_path / "both").read_text() == "old"
    assert everything(tmp_path) == {"old", "both", "new"}
    assert (tmp_path / "both").read_text() == "new"


def test_folders_are_made(tmp_path: Path) -> None:
    with output.staged(tmp_path / "a" / "b") as stage:
        (stage / "file").write_text("new")
    assert everything(tmp_path) == {"a", "a/b", "a/b/file"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError(), InputError("no")])
def test_after_a_failure_nothing_has_changed(tmp_path: Path, error: BaseException) -> None:
    def fail() -> None:
        with output.staged(tmp_path / "a" / "b") as stage:
            (stage / "file").write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert everything(tmp_path) == set()


def test_an_error_of_the_system_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no space left"), output.staged(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert everything(tmp_path) == set()


def test_check_folder_leaves_no_trace(tmp_path: Path) -> None:
    output.check_folder(tmp_path / "a" / "b")
    output.check_folder(tmp_path)
    assert everything(tmp_path) == set()


def test_check_folder_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        output.check_folder(tmp_path / "file")
    with pytest.raises(InputError, match="cannot write"):
        output.check_folder(tmp_path / "file" / "below")


def test_check_folder_refuses_what_takes_no_files() -> None:
    with pytest.raises(InputError, match="cannot write /proc/nc64c"):
        output.check_folder(Path("/proc/nc64c"))


def test_check_file(tmp_path: Path) -> None:
    output.check_file(tmp_path / "new")
    assert everything(tmp_path) == set()
    with pytest.raises(InputError, match="no regular file"):
        output.check_file(tmp_path)
    with pytest.raises(InputError, match="no regular file"):
        output.check_file(Path("/dev/full"))
    with pytest.raises(InputError, match="no folder"):
        output.check_file(tmp_path / "missing" / "new")


@pytest.mark.parametrize("name", ["data", "link", "other/../data", "data/."])
def test_a_folder_that_is_read_is_not_written_to(tmp_path: Path, name: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("data")
    sentence = f"output folder .* is the same as {tmp_path}/data, which is read: give another name"
    with pytest.raises(InputError, match=sentence):
        output.check_folder(tmp_path / name, None, tmp_path / "data")
    output.check_folder(tmp_path / "other", None, tmp_path / "data", tmp_path / "none")


def test_a_file_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "copy").write_text("a")
    with pytest.raises(InputError, match=r"output file .*/b is the same as .*/a, which is read"):
        output.check_file(tmp_path / "b", tmp_path / "a")
    output.check_file(tmp_path / "copy", tmp_path / "a", None)
    output.check_file(tmp_path / "new", tmp_path / "a")
