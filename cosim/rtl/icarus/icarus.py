"""The chip in Icarus Verilog, where it is installed: a simulator that knows X, and needs no build.

Its test bench, icarus.sv, plays what tb.sv plays and answers the same, to the cycle.
"""

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.program.errors import Mismatch, SimulationError
from cosim.program.runner import Advance, unheard
from cosim.rtl import environment
from cosim.rtl.design.design import Design, takes_packed
from cosim.rtl.design.verilog import chip_files
from cosim.rtl.icarus import waves
from cosim.rtl.played import SimulatorInput, SimulatorOutput, Trace, answered
from cosim.rtl.runner import RtlRunner
from cosim.rtl.simulator.headers import PATIENCE, chip_instance, spec_numbers
from cosim.rtl.tb.testbench import port_words
from hw.spec import FLIT, ChipShape, Kind
from sw.common.errors import InputError

BENCH = Path(__file__).with_name("icarus.sv")
FAULT = "NC64C: "  # how icarus.sv begins the line that says what no chip may do
FILLING = int(FLIT.pack(kind=int(Kind.HOST)))  # behind the last word of a port: it is never played


def installed() -> bool:
    """Whether Icarus Verilog is there."""
    return shutil.which("iverilog") is not None and shutil.which("vvp") is not None


def runner(shape: ChipShape, design: Design | None = None, trace: Trace | None = None) -> RtlRunner:
    """Runs programs in Icarus Verilog; everything is loaded through the front door.

    `design` is a user's RTL in the place of ours; `trace` says which tile's waves are recorded, of
    ours those of all ticks. Raises `InputError` where it is not installed.
    """
    check_installed()

    def play_in_scratch(given: SimulatorInput, advance: Advance) -> SimulatorOutput:
        with tempfile.TemporaryDirectory(prefix="nc64c-") as folder:
            return play(shape, given, Path(folder), advance, design=design, trace=trace)

    return RtlRunner(play_in_scratch, back_door=False, packs=takes_packed(design))


def check_installed() -> None:
    """Raises `InputError` where Icarus Verilog is not installed."""
    if not installed():
        raise InputError(
            "Icarus Verilog is not there: install it, so that iverilog and vvp are on the PATH"
        )


def play(
    shape: ChipShape,
    given: SimulatorInput,
    folder: Path,
    advance: Advance = unheard,
    *,
    design: Design | None = None,
    patience: int = PATIENCE,
    trace: Trace | None = None,
) -> SimulatorOutput:
    """What the chip answers to its input, through the front door; files go into `folder`.

    Raises `InputError` when Icarus Verilog cannot compile it, `SimulationError` when it ends early,
    and `Mismatch` when the RTL hangs (nothing happens for `patience` cycles) or shows X at a pin.
    """
    if len(given.backdoor):
        raise ValueError("Icarus Verilog has no back door")
    words = _stimulus(folder, port_words(list(given.steps), shape.rows))
    files = chip_files(shape, design)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "chip_instance.svh").write_text(chip_instance(shape, design))
    parameters = {"WORDS": words, "STEPS": len(given.steps), "PATIENCE": patience}
    command = [
        *("iverilog", "-g2012", "-s", "icarus", "-o", "icarus.vvp", f"-I{folder}"),
        *(f"-Picarus.{name}={value}" for name, value in parameters.items()),
        *(f"-D{name}={value}" for name, value in spec_numbers(shape).items()),
        *(str(BENCH), *files),
    ]
    recordings = [""] if trace is None else waves.recordings(shape, trace, design)
    run = _simulated(command, folder, recordings)
    if trace is not None and (folder / waves.FILE).exists():
        shutil.move(folder / waves.FILE, trace.file)
    lines = run.stdout.splitlines()
    for line in lines:
        if line.startswith(FAULT):
            raise Mismatch(f"the RTL {line.removeprefix(FAULT)}")
    response = _response(lines)
    if run.returncode or len(response.steps) != len(given.steps):
        how = environment.ending(run.returncode)
        raise SimulationError(f"Icarus Verilog ended early, {how}: {run.stderr[-200:].strip()}")
    advance(len(given.stimuli))
    return replace(response, steps=answered(given.steps, response.steps))


def _simulated(
    command: list[str], folder: Path, recordings: list[str]
) -> subprocess.CompletedProcess[str]:
    """Compiles and runs the chip, with the first recording that it has and whose file is small."""
    recording, *others = recordings
    (folder / waves.INCLUDED).write_text(recording)
    compiled = _run(command, folder)
    if compiled.returncode and not others:
        told = _telling(compiled.stderr)
        raise InputError(f"Icarus Verilog cannot compile the chip: {told}")
    if compiled.returncode:
        return _simulated(command, folder, others)
    run = _run(["vvp", "-N", "icarus.vvp", "-fst"], folder)
    return _simulated(command, folder, others) if others and waves.too_large(folder) else run


def _telling(log: str) -> str:
    """The first line that names an error, or the last one."""
    lines = log.strip().splitlines() or ["it says nothing"]
    return next((line for line in lines if "error" in line.lower()), lines[-1])[:300]


def _stimulus(folder: Path, words: list[NDArray[np.uint64]]) -> int:
    """Writes what the ports play, port by port; how many words each has, those behind included."""
    most = max(map(len, words))
    padded = [np.append(mine, np.full(most - len(mine), FILLING, np.uint64)) for mine in words]
    lines = (f"{int(word):016x}\n" for word in np.concatenate(padded))
    (folder / "stimulus.hex").write_text("".join(lines))
    return most


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


def _response(lines: list[str]) -> SimulatorOutput:
    """The steps that ended, from what the test bench prints."""
    steps: list[list[int]] = [[]]
    cycles = ticks = 0
    for line in lines:
        if line.startswith("step"):
            cycles, ticks = map(int, line.split()[1:])
            steps.append([])
        elif len(line) == FLIT.width // 4:
            steps[-1].append(int(line, 16))
    return SimulatorOutput(tuple(np.array(p, np.uint64) for p in steps[:-1]), cycles, ticks)
