"""The RTL as a chip model: jobs for simulator processes, started, watched and collected."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
import find_libpython
import numpy as np
from numpy.typing import NDArray

from cosim.program.errors import Mismatch, SimulationError
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Phase, read
from cosim.rtl import environment
from cosim.rtl.job import Job, Response
from cosim.rtl.simulator.build import Simulator
from cosim.rtl.tb import testbench
from hw.spec import FLIT, ChipShape, Counter, Region
from sw.common.errors import InputError
from sw.files import logs

HANG = "NC64C: "  # how tb.sv begins the line that says so
Responses = list[NDArray[np.uint64]]


@dataclass(frozen=True, eq=False)
class RtlRun:
    """What the RTL did with some jobs.

    `responses[job][phase]` are HOST flits (uint64 [n]); `cycles` and `ticks` are summed over the
    processes, configuration included; `counters` are int64 [rows, columns], summed likewise.
    """

    responses: list[Responses]
    cycles: int
    ticks: int
    wall_s: float
    counters: dict[Counter, NDArray[np.int64]]


class RtlChip:
    """One chip in RTL, as a `ChipModel`; every `run` is a process of its own, from power-up."""

    def __init__(self, simulator: Simulator, *, backdoor: NDArray[np.uint64] | None = None) -> None:
        self._simulator = simulator
        self._backdoor = np.zeros(0, np.uint64) if backdoor is None else backdoor

    def run(self, phases: Sequence[Phase]) -> Responses:
        """The HOST flits (uint64 [n]) that came out during each phase, in any order."""
        return list(self.respond(phases).phases)

    def respond(self, phases: Sequence[Phase]) -> Response:
        """The same with the cycles and ticks that it took."""
        job = Job(tuple(phases), np.array([len(phases)], np.int64), self._backdoor)
        return _run_processes(self._simulator, [job], lambda _: None)[0]


def run_jobs(
    simulator: Simulator,
    program: Program,
    jobs: Sequence[Sequence[Phase]],
    *,
    processes: int,
    backdoor: bool = True,
    on_done: Callable[[int], None] = lambda _: None,
) -> RtlRun:
    """Run jobs (each one image's phases) on chips that hold `program`, over `processes` processes.

    The memories are loaded through the back door or the front door; registers always go through
    the front door. `on_done` is called with the number of jobs done so far. Interrupted, no process
    is left behind. Raises `SimulationError`, and `Mismatch` when the RTL hangs.
    """
    start = time.monotonic()
    flits = configuration(program)
    in_memory = FLIT.get(flits, "region") != Region.REGISTER
    stored = flits[in_memory & backdoor]
    loading = [Phase(flits[~(in_memory & backdoor)], go=False)]
    reading = [Phase(_counter_reads(program.shape), go=False)]

    shards = [
        list(range(first, len(jobs), processes)) for first in range(min(processes, len(jobs)))
    ]
    work = []
    for shard in shards:
        phases = [*loading, *(phase for index in shard for phase in jobs[index]), *reading]
        parts = [len(jobs[index]) for index in shard]
        parts[0] += len(loading)
        work.append(Job(tuple(phases), np.array(parts, np.int64), stored))
    results = _run_processes(simulator, work, on_done)

    responses: list[Responses] = [[] for _ in jobs]
    counters = {counter: _no_counts(program.shape) for counter in Counter}
    for shard, result in zip(shards, results, strict=True):
        place = len(loading)
        for index in shard:
            responses[index] = list(result.phases[place : place + len(jobs[index])])
            place += len(jobs[index])
        for counter, counts in _counts(program.shape, result.phases[-1]).items():
            counters[counter] += counts
    return RtlRun(
        responses,
        sum(result.cycles for result in results),
        sum(result.ticks for result in results),
        time.monotonic() - start,
        counters,
    )


def _no_counts(shape: ChipShape) -> NDArray[np.int64]:
    return np.zeros((shape.rows, shape.columns), np.int64)


def _counter_reads(shape: ChipShape) -> NDArray[np.uint64]:
    """READs of all counters of all cores."""
    words = 2 * len(Counter)
    flits = [
        read(Region.COUNTER, 0, words, x=x, y=y)
        for y in range(shape.rows)
        for x in range(shape.columns)
    ]
    return np.array(flits, np.uint64)


def _counts(shape: ChipShape, replies: NDArray[np.uint64]) -> dict[Counter, NDArray[np.int64]]:
    x, y = (FLIT.get(replies, name).astype(np.int64) for name in ("x0", "y0"))
    offset, data = (FLIT.get(replies, name).astype(np.int64) for name in ("offset", "data"))
    totals = {counter: _no_counts(shape) for counter in Counter}
    for counter, total in totals.items():
        for half, shift in ((0, 0), (1, 32)):
            mine = offset == 2 * counter + half
            total[y[mine], x[mine]] += data[mine] << shift
    return totals


def _run_processes(
    simulator: Simulator, jobs: Sequence[Job], on_done: Callable[[int], None]
) -> list[Response]:
    """One process a job; `on_done` hears the number of job parts done in all of them."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nc64c-")))
        selector = stack.enter_context(selectors.DefaultSelector())
        running = []
        for index, job in enumerate(jobs):
            folder = scratch / str(index)
            folder.mkdir()
            job.save(folder / "job.npz")
            with _undisturbed():
                process, progress = _start(simulator, folder)
                stack.callback(_stop, process)
                stack.callback(os.close, progress)
            selector.register(progress, selectors.EVENT_READ)
            running.append((process, folder))
        done = 0
        while selector.get_map():
            for key, _ in selector.select():
                lines = os.read(key.fd, 4096)
                if lines:
                    done += len(lines)
                    on_done(done)
                else:
                    selector.unregister(key.fd)
        return [_collect(process, folder) for process, folder in running]


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


def _start(simulator: Simulator, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
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
        testbench.JOB: str(folder / "job.npz"),
        testbench.RESPONSE: str(folder / "response.npz"),
        testbench.PROGRESS: str(report),
    }
    waves = ["--trace", "--trace-file", str(Path.cwd() / "dump.vcd")] if simulator.waves else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(simulator.executable), *waves],
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


def _collect(process: subprocess.Popen[bytes], folder: Path) -> Response:
    process.wait()
    response = folder / "response.npz"
    if process.returncode or not response.exists():
        log = (folder / "log").read_text(errors="replace")
        for line in log.splitlines():
            if line.startswith(HANG):
                raise Mismatch(f"the RTL hangs: {line.removeprefix(HANG)}")
        where = logs.pointer("simulator", log)
        raise SimulationError(
            f"the simulator ended early, {environment.ending(process.returncode)}{where}"
        )
    return Response.load(response)
