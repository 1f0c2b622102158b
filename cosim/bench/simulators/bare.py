"""Stimuli on the Verilated chip without cocotb and Python: what time is left is the model's."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.program.errors import SimulationError
from cosim.rtl import environment
from cosim.rtl.played import SimulatorInput, SimulatorOutput
from cosim.rtl.simulator.build import Simulator, build
from cosim.rtl.tb.testbench import port_words
from hw.spec import FULL_CHIP, ChipShape

MAIN = Path(__file__).with_name("bare.cpp")


def build_bare(shape: ChipShape = FULL_CHIP) -> Simulator:
    """The chip's model driven by bare.cpp. Raises `InputError` as `build` does."""
    return build(shape, main=MAIN)


def play(simulator: Simulator, given: SimulatorInput) -> SimulatorOutput:
    """What the cocotb test bench does with its input, in C++. Raises `SimulationError`."""
    with tempfile.TemporaryDirectory(prefix="nc64c-bare-") as scratch:
        stimulus, answer = Path(scratch, "input"), Path(scratch, "output")
        stimulus.write_bytes(_stimulus(given, simulator.shape.rows).tobytes())
        done = subprocess.run(
            [str(simulator.executable), str(stimulus), str(answer)],
            env=environment.of_simulator(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            how, said = environment.ending(done.returncode), done.stderr or done.stdout
            raise SimulationError(f"the bare harness ended early, {how}: {said.strip()}")
        return _response(np.fromfile(answer, np.uint64))


def _stimulus(given: SimulatorInput, rows: int) -> NDArray[np.uint64]:
    ends = np.cumsum(given.stimuli)
    ports = port_words(list(given.steps), rows, (ends - 1).tolist())
    sizes = [rows, len(given.backdoor), len(ends), *(len(words) for words in ports)]
    return np.concatenate([np.array(sizes, np.uint64), given.backdoor, *ports])


def _response(words: NDArray[np.uint64]) -> SimulatorOutput:
    cycles, ticks, flits, _ = (int(word) for word in words[:4])
    heard, ends = np.split(words[4:], [flits])
    return SimulatorOutput(tuple(np.split(heard, ends[:-1].astype(np.int64))), cycles, ticks)
