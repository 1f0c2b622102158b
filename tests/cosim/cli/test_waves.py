"""`nc64c waves`: what it refuses, in one sentence."""

from pathlib import Path

import pytest

from tests.support.cli import nc64c


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--core", "8,0"), ("core '8,0'", "0,0 to 7,7")),
        (("--core", "1"), ("core '1'", "X,Y")),
        (("--core", "0,0", "--ticks", "3"), ("ticks '3'", "A:B")),
        (("--core", "0,0", "--ticks", "3:3"), ("ticks '3:3'",)),
        (("--core", "0,0", "--mesh", "8"), ("mesh",)),
    ],
    ids=str,
)
def test_what_it_refuses(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    result = nc64c("waves", "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2, result.output
    assert all(word in result.stderr for word in words), result.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    result = nc64c("waves", "--core", "0,0", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "is a file" in result.stderr
