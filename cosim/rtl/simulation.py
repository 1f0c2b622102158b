"""Simulator processes: started, watched, stopped, and what they answered collected."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import cocotb_tools.config
import find_libpython
import numpy as np
from numpy.typing import NDArray

from cosim.program.errors import Mismatch, SimulationError
from cosim.program.runner import Advance, unheard
from cosim.program.stimulus import Step
from cosim.rtl import environment
from cosim.rtl.played import SimulatorInput, SimulatorOutput, Trace
from cosim.rtl.simulator.build import Simulator
from cosim.rtl.tb import testbench
from sw.common.errors import InputError
from sw.files import logs

HANG = "NC64C: "  # how tb.sv begins the line that says so
WAVES = "waves.fst"  # what tile_block.cpp writes


class RtlChip:
    """One chip in RTL; every `run` is a process of its own, from power-up."""

    def __init__(self, simulator: Simulator, *, backdoor: NDArray[np.uint64] | None = None) -> None:
        self._simulator = simulator
        self._backdoor = np.zeros(0, np.uint64) if backdoor is None else backdoor

    def run(self, steps: Sequence[Step]) -> list[NDArray[np.uint64]]:
        """The HOST flits (uint64 [n]) that came out during each step, in any order."""
        return list(self.respond(steps).steps)

    def respond(self, steps: Sequence[Step]) -> SimulatorOutput:
        """The same with the cycles and ticks that it took."""
        given = SimulatorInput(tuple(steps), np.array([len(steps)], np.int64), self._backdoor)
        return play(self._simulator, given)


def play(
    simulator: Simulator,
    given: SimulatorInput,
    advance: Advance = unheard,
    trace: Trace | None = None,
) -> SimulatorOutput:
    """Plays its input in a process of its own; `advance` hears how many stimuli more are done.

    A traced simulator records waves where `trace` says so, also of an RTL that hangs. Interrupted,
    no process is left behind. Raises `SimulationError`, and `Mismatch` when the RTL hangs.
    """
    if trace is not None and not simulator.traced:
        raise ValueError("this simulator was not built to record waves")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nc64c-")))
        given.save(folder / "input.npz")
        with _undisturbed():
            process, progress = _start(simulator, folder, trace)
            stack.callback(_stop, process)
            stack.callback(os.close, progress)
        while lines := os.read(progress, 4096):
            advance(len(lines))
        process.wait()
        if trace is not None and (folder / WAVES).exists():
            shutil.move(folder / WAVES, trace.file)
        return _collect(process, folder)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that would end this process wait: a simulator that is just starting must be known.

    It would go on without end otherwise, for what interrupts its start cannot stop it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda now, _frame: waiting.append(now))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for now in waiting:
            signal.raise_signal(now)


def _start(
    simulator: Simulator, folder: Path, trace: Trace | None
) -> tuple[subprocess.Popen[bytes], int]:
    """A simulator process in `folder`, and the pipe on which it reports progress."""
    library = find_libpython.find_libpython()
    if library is None:
        raise InputError(
            f"{sys.executable} has no shared library (libpython), which cocotb loads into the "
            "simulator: use a Python built with --enable-shared"
        )
    progress, report = os.pipe()
    variables = environment.of_simulator() | {
        "GPI_USERS": f"{library};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "COCOTB_TOPLEVEL": "tb",
        # nc64c first: or a foreign `cosim` may be found.
        "COCOTB_TEST_MODULES": f"nc64c,{testbench.__name__}",
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        # Or pytest compiles every module anew, for assertions that the bench has not.
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
        "TOPLEVEL_LANG": "verilog",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        testbench.INPUT: str(folder / "input.npz"),
        testbench.OUTPUT: str(folder / "output.npz"),
        testbench.PROGRESS: str(report),
    }
    given = [f"+PATIENCE={simulator.patience}"]
    if simulator.seed is not None:
        given += ["+verilator+rand+reset+2", f"+verilator+seed+{simulator.seed}"]
    if simulator.waves:
        given += ["--trace", "--trace-file", str(Path.cwd() / "dump.vcd")]
    if trace is not None:
        given.append(f"+WAVES={trace.x},{trace.y},{trace.first},{trace.last}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(simulator.executable), *given],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[report],
            start_new_session=True,  # Ctrl-C is the parent's to handle: it stops the process
        )
    os.close(report)
    return process, progress


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _collect(process: subprocess.Popen[bytes], folder: Path) -> SimulatorOutput:
    response = folder / "output.npz"
    if process.returncode or not response.exists():
        log = (folder / "log").read_text(errors="replace")
        for line in log.splitlines():
            if line.startswith(HANG):
                raise Mismatch(f"the RTL hangs: {line.removeprefix(HANG)}")
        where = logs.pointer("simulator", log)
        raise SimulationError(
            f"the simulator ended early, {environment.ending(process.returncode)}{where}"
        )
    return SimulatorOutput.load(response)
