"""`nc64c waves`, and what a run leaves of its first difference, of a network that is streamed."""

import re
from pathlib import Path

import pytest

from cosim.rtl.icarus import icarus
from cosim.verify.random.programs import SMALL
from tests.support.bug_list import BUGS
from tests.support.bugs import design_of
from tests.support.cli import nc64c, small_checkpoint
from tests.support.waves import golden_wave, parts

CHIP = ("--mesh", "2x2", "--axons", SMALL.axons, "--dendrites", SMALL.dendrites)
needs_icarus = pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed")


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


@pytest.mark.rtl
@needs_icarus
def test_a_pass_of_a_streamed_network(tmp_path: Path) -> None:
    network = ("--checkpoint", small_checkpoint(tmp_path), *CHIP)
    where = ("--image", 1, "--layer", "conv2", "--pass", 1, "--core", "1,0", "--ticks", "1:3")
    out = tmp_path / "out"
    result = nc64c("waves", *network, *where, "--simulator", "icarus", "--out", out)
    assert result.exit_code == 0, result.output
    names = {"rtl.fst", "golden.vcd", "waves.gtkw", "waves.sucl", "picture.png"}
    assert {str(out / name) for name in names} == set(result.stdout.split())
    registers = golden_wave(out / "golden.vcd").keys() - {"first_divergence"}
    assert {"soma.total", "soma.hit", "soma.membranes[0]"} <= registers
    for register in registers:
        for tick in (1, 2):
            ours = {"soma.current": "dendrites.current"}.get(register, register)
            assert not parts(out, ours, tick), f"{register} in tick {tick}"


@pytest.mark.rtl
@needs_icarus
def test_noise_that_the_rtl_leaves_out(tmp_path: Path) -> None:
    """Of several runs the one that differs is explained, here a pass of the first layer."""
    [bug] = [bug for bug in BUGS if bug.name == "no noise"]
    (tmp_path / "chip.v").write_bytes(design_of(bug, SMALL, tmp_path).text)
    network = ("--checkpoint", small_checkpoint(tmp_path), *CHIP, "--sets", "clean")
    users = ("--rtl", tmp_path / "chip.v", "--top", "nc64c_chip", "--simulator", "icarus")
    out = tmp_path / "out"
    run = ("noise", *network, *users, "--bits", "0,12", "--images", 1, "--jobs", 1, "--out", out)
    result = nc64c(*run)
    assert result.exit_code == 1, result.output
    words = (out / "mismatch" / "explanation.txt").read_text()
    assert "set clean, image 0, layer conv2, round 0, pass 0" in words
    assert "Broken: Neuron: fired = v >= threshold + (lfsr & NOISE_MASK)." in words
    [(core, tick)] = re.findall(r"First wrong register: soma.hit of (.*), in tick (\d+),", words)
    assert core in words.split("First wrong")[0] or core.capitalize() in words
    assert parts(out / "mismatch", "soma.hit", int(tick))
    assert (out / "noise.json").exists()
