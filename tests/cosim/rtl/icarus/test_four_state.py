"""The emitted Verilog where a signal may be X: reset, it does what the golden model does."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.verify.random.programs import random_program, random_steps
from hw.spec import FLIT, ChipShape, Kind
from hw.verilog import export
from tests.support.chips import assert_equal

SHAPE = ChipShape(2, 2, 64, 16)
BENCH = Path(__file__).with_name("four_state.v")
UNTOUCHED = (Step(np.zeros(0, np.uint64), go=False), Step(np.zeros(0, np.uint64), go=True))

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(
        shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
    ),
]


def words(steps: list[Step]) -> list[int]:
    """What the bench plays: flits, and at the end of each step a mark."""
    ends = [[FLIT.pack(kind=int(Kind.HOST), data=int(step.go))] for step in steps]
    both = zip(steps, ends, strict=True)
    return [int(word) for step, end in both for word in (*step.flits, *end)]


def ports() -> str:
    """The connections of the host ports; that of row 0 plays."""
    lines = []
    for row in range(SHAPE.rows):
        payload = f"[{row}*`FLIT_BITS+:`FLIT_BITS]"
        pins = {
            f"in__{row}__payload": "word",
            f"in__{row}__valid": "1'b0" if row else "running & ~mark",
            f"in__{row}__ready": f"in_ready[{row}]",
            f"out__{row}__payload": f"out_payload{payload}",
            f"out__{row}__valid": f"out_valid[{row}]",
            f"out__{row}__ready": "1'b1",
        }
        lines += [f"      .host_{pin}({value})" for pin, value in pins.items()]
    return ",\n".join(lines) + "\n"


def play(steps: list[Step], standard: str, folder: Path) -> list[str]:
    """What the bench prints in Icarus Verilog, which reads it by `standard`."""
    stimulus = words(steps)
    texts = {
        "tile.v": export.tile_verilog(SHAPE),
        "chip.v": export.chip_verilog(SHAPE),
        "ports.vh": ports(),
        "stimulus.hex": "\n".join(f"{word:016x}" for word in stimulus) + "\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    kind = FLIT.fields["kind"]
    numbers = {
        "ROWS": SHAPE.rows,
        "FLIT_BITS": FLIT.width,
        "FLIT_KIND": kind.offset,
        "FLIT_KIND_BITS": kind.width,
        "KIND_HOST": int(Kind.HOST),
    }
    compiled = ["iverilog", standard, "-s", "four_state", "-o", "out.vvp", "-I."]
    compiled += [f"-Pfour_state.WORDS={len(stimulus)}"]
    compiled += [f"-D{name}={value}" for name, value in numbers.items()]
    run([*compiled, str(BENCH), "tile.v", "chip.v"], folder)
    return run(["vvp", "-N", "out.vvp"], folder).splitlines()


def run(command: list[str], folder: Path) -> str:
    """What a program prints."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout


def flits(lines: list[str]) -> NDArray[np.uint64]:
    return np.array([int(line, 16) for line in lines if len(line) == FLIT.width // 4], np.uint64)


@pytest.mark.parametrize("standard", ["-g2012", "-g2005"])
def test_nothing_is_unknown_and_all_is_as_in_the_golden_model(
    standard: str, tmp_path: Path
) -> None:
    """-g2012 is SystemVerilog, which cocotb asks for; nothing is written before the first tick."""
    seed = 1
    rng = np.random.default_rng(seed)
    steps = list(UNTOUCHED)
    for _ in range(2):
        program = random_program(rng, SHAPE)
        steps.append(Step(configuration(program), go=False))
        steps += random_steps(rng, program, ticks=2)
    lines = play(steps, standard, tmp_path)
    assert not [line for line in lines if "unknown" in line], f"seed {seed}"
    expected = np.concatenate(GoldenChip(SHAPE).run(steps))
    assert len(expected) > 100
    assert_equal([expected], [flits(lines)], f"seed {seed}, {standard}")
