"""The same Verilog in Icarus Verilog, where it is installed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np

from cosim.program.errors import SimulationError
from cosim.rtl import environment
from cosim.rtl.job import PHASE_END, Job, Response
from cosim.rtl.tb.testbench import port_words
from hw.spec import FLIT, ChipShape, Kind
from hw.verilog import export
from sw.common.errors import InputError

BENCH = Path(__file__).with_name("icarus.sv")


def installed() -> bool:
    """Whether Icarus Verilog is there."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def play(shape: ChipShape, job: Job, folder: Path) -> Response:
    """What the chip, of one row of cores, answers to a job; the front door only.

    Raises `InputError` when Icarus Verilog cannot compile it, `SimulationError` when it ends early.
    """
    if shape.rows != 1 or len(job.backdoor):
        raise ValueError("one host port, and no back door")
    (words,) = port_words(list(job.phases), 1)
    (folder / "stimulus.hex").write_text("\n".join(f"{int(word):016x}" for word in words) + "\n")
    for name, text in (("tile", export.tile_verilog(shape)), ("chip", export.chip_verilog(shape))):
        (folder / f"{name}.v").write_text(text)
    numbers = {
        "FLIT_BITS": FLIT.width,
        "FLIT_KIND": FLIT.fields["kind"].offset,
        "FLIT_KIND_BITS": FLIT.fields["kind"].width,
        "KIND_HOST": int(Kind.HOST),
        "END_TICK": PHASE_END.fields["tick"].offset,
        "END_OVERLAP": PHASE_END.fields["overlap"].offset,
    }
    command = [
        *("iverilog", "-g2012", "-s", "icarus", "-o", "icarus.vvp", f"-Picarus.WORDS={len(words)}"),
        *(f"-D{name}={value}" for name, value in numbers.items()),
        *(str(BENCH), "tile.v", "chip.v"),
    ]
    compiled = _run(command, folder)
    if compiled.returncode:
        raise InputError(f"Icarus Verilog cannot compile the chip: {compiled.stderr[-200:]}")
    run = _run(["vvp", "-N", "icarus.vvp"], folder)
    if run.returncode:
        how = environment.ending(run.returncode)
        raise SimulationError(f"Icarus Verilog ended early, {how}: {run.stderr[-200:].strip()}")
    return _response(run.stdout.splitlines(), sum(phase.go for phase in job.phases))


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment.clean(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _response(lines: list[str], ticks: int) -> Response:
    phases: list[list[int]] = [[]]
    cycles = 0
    for line in lines:
        if line.startswith("phase"):
            cycles = int(line.split()[1])
            phases.append([])
        elif len(line) == FLIT.width // 4:
            phases[-1].append(int(line, 16))
    return Response(tuple(np.array(p, np.uint64) for p in phases[:-1]), cycles, ticks)
