"""RTL of a user's on the command line: which words are files, and what is refused."""

from pathlib import Path

import pytest

from cosim.cli.rtl_options import spread
from hw.spec import ChipShape
from tests.support.cli import nc64c
from tests.support.users_rtl import chip_stub, core_stub

SHAPE = ChipShape(2, 2, 64, 16)
SMALL = ("--mesh", "2x2", "--axons", "64", "--dendrites", "16")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--rtl a.v b.v c.v --top t", "--rtl a.v --rtl b.v --rtl c.v --top t"),
        ("--rtl a.v --rtl b.v", "--rtl a.v --rtl b.v"),
        (
            "--rtl-core a.v b.v --include i j",
            "--rtl-core a.v --rtl-core b.v --include i --include j",
        ),
        ("file --top t --rtl a.v", "file --top t --rtl a.v"),
        ("--top a b --rtl=a.v b.v", "--top a b --rtl=a.v b.v"),
        ("--rtl", "--rtl"),
    ],
)
def test_several_files_behind_one_option(given: str, meant: str) -> None:
    assert spread(given.split()) == meant.split()


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("core.sv").write_text(core_stub())
    Path("chip.sv").write_text(chip_stub(SHAPE))
    Path("wide.sv").write_text(core_stub().replace("[2:0] x", "[3:0] x"))
    Path("wrong.sv").write_text("module broken(;\n" + core_stub())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["cosim", "noise", "oracle", "bench rtl"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--rtl chip.sv", "--rtl needs --top"),
        ("--rtl-core core.sv", "--rtl-core needs --top"),
        ("--top my_chip", "--top is for RTL of yours"),
        ("--define X", "--define is for RTL of yours"),
        ("--packed-spikes", "--packed-spikes is for RTL of yours"),
        ("--rtl chip.sv --rtl-core core.sv --top my_core", "give one of them"),
        ("--rtl none.sv --top my_chip", "cannot read none.sv"),
        ("--rtl . --top my_chip", ". is a folder"),
        ("--rtl chip.sv --top other", "'other' was not found"),
        ("--rtl chip.sv --top my_chip --define =1", "--define '=1'"),
        ("--rtl chip.sv --top my_chip --parameter N=x", "--parameter 'N=x'"),
        ("--rtl-core wide.sv --top my_core", "`x` is an input of 4 bits, must be an input of 3"),
        ("--rtl-core wrong.sv --top my_core", "wrong.sv:1:15: syntax error"),
        ("--rtl core.sv chip.sv --top my_core", "`my_core` has not the pins of a chip of 2 rows"),
    ],
)
def test_what_is_refused(command: str, options: str, words: str) -> None:
    out = () if command.startswith("bench") else ("--out", "out")
    result = nc64c(*command.split(), *out, *SMALL, *options.split())
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert words in line
    assert not Path("out").exists()


def test_icarus_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = nc64c("cosim", "--out", "out", *SMALL, "--simulator", "icarus")
    assert result.exit_code == 2
    assert "install it, so that iverilog and vvp are on the PATH" in result.stderr


def test_another_simulator_is_refused() -> None:
    result = nc64c("cosim", "--out", "out", *SMALL, "--simulator", "vcs")
    assert result.exit_code == 2
    assert "vcs" in result.stderr
