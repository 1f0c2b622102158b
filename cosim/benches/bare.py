"""A job on the Verilated chip without cocotb and Python: what time is left is the model's."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.bench import port_words, split_phases
from cosim.errors import SimulationError
from cosim.job import Job, Response
from cosim.simulator import Simulator, build
from hw.spec import FULL_CHIP, ChipShape

MAIN = Path(__file__).with_name("bare.cpp")


def build_bare(shape: ChipShape = FULL_CHIP) -> Simulator:
    """The chip's model driven by bare.cpp. Raises `InputError` as `cosim.simulator.build` does."""
    return build(shape, main=MAIN)


def play(simulator: Simulator, job: Job) -> Response:
    """What cosim.bench does with a job, in C++. Raises `SimulationError` when it goes wrong."""
    with tempfile.TemporaryDirectory(prefix="nc64c-bare-") as scratch:
        stimulus, answer = Path(scratch, "job"), Path(scratch, "response")
        ports = port_words(list(job.phases), simulator.shape.rows)
        stimulus.write_bytes(_stimulus(ports, job.backdoor).tobytes())
        done = subprocess.run(
            [str(simulator.executable), str(stimulus), str(answer)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SimulationError(f"the bare harness ended early: {done.stderr or done.stdout}")
        return _response(np.fromfile(answer, np.uint64), simulator.shape.rows)


def _stimulus(
    ports: Sequence[NDArray[np.uint64]], backdoor: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    sizes = [len(ports), len(backdoor), *(len(words) for words in ports)]
    return np.concatenate([np.array(sizes, np.uint64), backdoor, *ports])


def _response(words: NDArray[np.uint64], rows: int) -> Response:
    cycles, ticks, *counts = (int(word) for word in words[: 2 + rows])
    ports = np.split(words[2 + rows :], np.cumsum(counts)[:-1])
    per_port = [split_phases(words) for words in ports]
    phases = tuple(np.concatenate(parts) for parts in zip(*per_port, strict=True))
    return Response(phases, cycles, ticks)
