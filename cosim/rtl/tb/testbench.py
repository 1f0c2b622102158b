"""The cocotb test bench: plays steps into the chip and keeps what comes out.

It runs inside the simulator's process, started by `cosim.rtl.simulation`, and knows nothing of what
is right: responses go to a file, judged elsewhere. The flits themselves pass through
host_ports.cpp; cocotb wakes at the end of each stimulus, not once a flit.
"""

import ctypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from cosim.program.program import host_port
from cosim.program.stimulus import Step
from cosim.rtl.played import SimulatorInput, SimulatorOutput, answered, end_word
from hw.spec import FLIT, Kind

INPUT, OUTPUT, PROGRESS = "NC64C_INPUT", "NC64C_OUTPUT", "NC64C_PROGRESS"  # environment


def port_words(steps: list[Step], rows: int, wakes: Iterable[int] = ()) -> list[NDArray[np.uint64]]:
    """What each host port plays: its flits in order, an end word behind each step.

    Behind the steps numbered in `wakes` Python is woken. Where nothing but spikes follows a tick,
    they are played while it runs. Raises `ValueError` for a flit of a row that has no port.
    """
    played: list[list[NDArray[np.uint64]]] = [[] for _ in range(rows)]
    waking = set(wakes)
    for number, step in enumerate(steps):
        wake, plain = number in waking, step.go and step.reset_after is None
        overlap = plain and not wake and _spikes_only(steps[number + 1 :][:1])
        end = np.array([end_word(step, wake=wake, overlap=overlap)], np.uint64)
        port = host_port(step.flits)
        if (port >= rows).any():
            raise ValueError(f"a flit for row {port.max()}: the chip has {rows} rows")
        for row in range(rows):
            played[row] += [step.flits[port == row], end]
    return [np.concatenate([*words, np.zeros(0, np.uint64)]) for words in played]


def _spikes_only(steps: list[Step]) -> bool:
    """Whether there is a step, and no flit in it that must find the chip idle."""
    return any(bool((FLIT.get(step.flits, "kind") == Kind.SPIKE).all()) for step in steps)


class HostPorts:
    """The ports' words and what they heard, in host_ports.cpp."""

    def __init__(self) -> None:
        self._library = library = ctypes.CDLL(None)
        library.nc64c_play.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
        self.rows = int(library.nc64c_rows())
        self._played: list[NDArray[np.uint64]] = []

    def play(self, words: list[NDArray[np.uint64]]) -> None:
        """Let each port play these words, and forget what has been heard."""
        self._played = words  # they stay where they are until the next ones
        for port, mine in enumerate(words):
            self._library.nc64c_play(port, mine.ctypes.data, len(mine))
        self._library.nc64c_forget()

    def heard(self) -> list[NDArray[np.uint64]]:
        """The HOST flits of each step that has ended."""
        flits, ends = ctypes.POINTER(ctypes.c_uint64)(), ctypes.POINTER(ctypes.c_uint64)()
        flit_count, step_count = ctypes.c_size_t(), ctypes.c_size_t()
        arguments = flits, flit_count, ends, step_count
        self._library.nc64c_heard(*map(ctypes.byref, arguments))
        if not step_count.value:
            return []
        last = np.ctypeslib.as_array(ends, (step_count.value,)).astype(np.int64)
        if not flit_count.value:
            return [np.zeros(0, np.uint64) for _ in last]
        words = np.ctypeslib.as_array(flits, (flit_count.value,)).copy()
        return np.split(words, last[:-1])


class Bench:
    """tb.sv, from the Python side."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._ports = HostPorts()
        self._resume = 0

    async def run(
        self, steps: list[Step], ends: list[int], on_stimulus: Callable[[], object]
    ) -> list[NDArray[np.uint64]]:
        """The HOST flits of each step; `ends` says after how many steps each stimulus is over."""
        if not steps:
            return []
        self._ports.play(port_words(steps, self._ports.rows, [end - 1 for end in ends]))
        self._dut.refilled.value = 1
        for _ in ends:
            self._resume ^= 1
            self._dut.resume.value = self._resume
            await RisingEdge(self._dut.attention)
            self._dut.refilled.value = 0
            on_stimulus()
        return self._ports.heard()

    async def start(self) -> None:
        """Wait until the chip is out of reset and asks for the first words."""
        await RisingEdge(self._dut.attention)


def store_through_back_door(flits: NDArray[np.uint64]) -> None:
    """Put WRITE flits straight into the tiles' memories (tile_block.cpp); no time passes."""
    backdoor = ctypes.CDLL(None).nc64c_backdoor
    backdoor.argtypes = (ctypes.c_void_p, ctypes.c_int)
    refused = backdoor(np.ascontiguousarray(flits).ctypes.data, len(flits))
    if refused:
        raise ValueError(f"{refused} of {len(flits)} flits are not for a memory of this chip")


@cocotb.test()
async def play(dut: Any) -> None:
    """Read the input, run it, write the output; progress goes out as a line for each stimulus."""
    given = SimulatorInput.load(Path(os.environ[INPUT]))
    progress = int(os.environ[PROGRESS])
    bench = Bench(dut)
    await bench.start()
    if len(given.backdoor):
        store_through_back_door(given.backdoor)
    ends = np.cumsum(given.stimuli).tolist()
    ends[-1] = len(given.steps)  # what comes behind the last stimulus belongs to it
    responses = await bench.run(list(given.steps), ends, lambda: os.write(progress, b"\n"))
    heard = answered(given.steps, responses)
    response = SimulatorOutput(heard, int(dut.cycles.value), int(dut.ticks.value))
    response.save(Path(os.environ[OUTPUT]))
