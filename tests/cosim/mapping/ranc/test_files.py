"""RANC's files: what is wrong with them is said in one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosim.mapping.ranc.grid import wanted
from cosim.mapping.ranc.mem_file import MAX_BYTES, read_words
from cosim.mapping.ranc.network import read_network
from sw.common.errors import InputError
from tests.support.ranc import chain, expect, write


def cut(name: str, characters: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text()[:-characters])


def put(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def lose(*names: str) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut("csram_000.mem", 9), ["csram_000.mem, word 2", "must have"]),
        (cut("tc_000.mem", 3), ["csram_000.mem", "bits", "7 axons"]),
        (put("tc_000.mem", "00\n012\n"), ["tc_000.mem, word 2", "'012'", "zeros and ones"]),
        (put("tc_000.mem", "000\n" * 8), ["tc_000.mem", "3 bits, must have 2"]),
        (put("tc_001.mem", ""), ["tc_001.mem has no words"]),
        (put("tc_001.mem", "00\n" * 1025), ["tc_001.mem", "1025 axons, must be 2 to 1024"]),
        (put("tb_input.txt", "01x"), ["tb_input.txt, word 1", "'01x'"]),
        (put("tb_input.txt", "01"), ["tb_input.txt", "2 bits, must have 25"]),
        (put("tb_input.txt", "0" * 25), ["tb_input.txt", "1 packets, must be 3"]),
        (put("tb_num_inputs.txt", "-1"), ["tb_num_inputs.txt, line 1", "'-1'"]),
        (put("tb_num_outputs.txt", "9" * 8), ["tb_num_outputs.txt", "at most"]),
        (put("tb_correct.txt", "1\n"), ["tb_correct.txt", "1 packets, must be 2"]),
        (put("tb_correct.txt", "é"), ["tb_correct.txt is no text"]),
        (put("tb_input.txt", f"{2:09b}{'0' * 16}\n" * 3), ["word 1: core (2, 0), axon 0"]),
        (put("csram_064.mem", "0"), ["a core 64, but this chip has 64 cores"]),
        (put("csram_009.mem", "0"), ["tc_009.mem is missing"]),
        (lose("csram_000.mem"), ["csram_000.mem is missing"]),
        (lose("tc_001.mem"), ["tc_001.mem is missing"]),
        (lose("csram_000.mem", "tc_000.mem"), ["csram_000.mem is missing"]),
        (lose("tb_correct.txt"), ["tb_correct.txt is missing"]),
        (lose("tb_num_inputs.txt"), ["tb_num_inputs.txt is missing"]),
    ],
)
def test_a_bad_file_is_named(
    spoil: Callable[[Path], object], words: list[str], tmp_path: Path
) -> None:
    folder = write(tmp_path, expect(chain()))
    spoil(folder)
    with pytest.raises(InputError) as caught:
        read_network(folder, wanted(None, None))
    for each in words:
        assert each in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "output", "words"),
    [
        ("3", None, "grid '3': must be like 4x3"),
        (None, "2", "output core '2': must be like 0,2"),
        ("9x1", "2,0", "a grid of 9x1: must be 1x1 to 8x8"),
        ("3x1", "3,0", r"output core \(3, 0\): is not in the grid of 3x1"),
        ("3x2", "2,0", "csram_003.mem is missing"),
        ("1x3", None, "no grid"),
    ],
)
def test_a_bad_grid_is_named(
    grid: str | None, output: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words):
        read_network(write(tmp_path, expect(chain())), wanted(grid, output))


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none: no such file"):
        read_network(tmp_path / "none", wanted(None, None))
    with pytest.raises(InputError, match=r"has no csram_000\.mem"):
        read_network(tmp_path, wanted(None, None))


def test_comments_are_left_out_and_large_files_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mem"
    path.write_text("/* words\n of 2 bits */\n01 // one\n10\n")
    assert read_words(path).tolist() == [[False, True], [True, False]]
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="has more than"):
        read_words(path)
