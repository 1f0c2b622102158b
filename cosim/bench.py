"""The cocotb test bench: plays phases into the chip and keeps what comes out.

It runs inside the simulator's process, started by `cosim.rtl`, and knows nothing of what is right:
responses go to a file, judged elsewhere. cocotb wakes once a buffer, not once a flit.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from cosim.job import Job, Response
from cosim.program import host_port
from cosim.stimulus import Phase
from hw.spec import FLIT, Kind

JOB, RESPONSE, PROGRESS = "NC64C_JOB", "NC64C_RESPONSE", "NC64C_PROGRESS"  # environment
PHASE_MARK = np.uint64(2**64 - 1)  # in a response buffer, the end of a phase


def port_words(phases: list[Phase], rows: int) -> list[NDArray[np.uint64]]:
    """What each host port plays: its flits in order, an end word behind each phase."""
    played: list[list[NDArray[np.uint64]]] = [[] for _ in range(rows)]
    for phase in phases:
        end = np.array([FLIT.pack(kind=int(Kind.HOST), data=int(phase.go))], np.uint64)
        port = host_port(phase.flits)
        for row in range(rows):
            played[row] += [phase.flits[port == row], end]
    return [np.concatenate(words) if words else np.zeros(0, np.uint64) for words in played]


def split_phases(words: NDArray[np.uint64]) -> list[NDArray[np.uint64]]:
    """A port's responses, phase by phase; words behind the last mark are left out."""
    marks = np.flatnonzero(words == PHASE_MARK)
    starts = np.concatenate([[0], marks[:-1] + 1]).astype(np.int64)
    return [words[a:b] for a, b in zip(starts, marks, strict=True)]


class Bench:
    """The transactors of tb.sv, from the Python side."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._rows = len(dut.stimulus_words)
        self._capacity = len(dut.stimulus[0]) // FLIT.width
        self._resume = 0

    async def run(
        self, phases: list[Phase], on_phase: Callable[[int], None]
    ) -> list[NDArray[np.uint64]]:
        """The HOST flits of each phase; `on_phase` is told how many phases are done."""
        waiting = port_words(phases, self._rows)
        received: list[list[NDArray[np.uint64]]] = [[] for _ in range(self._rows)]
        marks = np.zeros(self._rows, np.int64)
        while marks.min() < len(phases):
            await self._refill(waiting)
            for row, words in enumerate(self._take_responses()):
                received[row].append(words)
                marks[row] += np.count_nonzero(words == PHASE_MARK)
            on_phase(int(marks.min()))
        per_port = [split_phases(np.concatenate(words)) for words in received]
        return [np.concatenate(parts) for parts in zip(*per_port, strict=True)]

    async def start(self) -> None:
        """Wait until the chip is out of reset and asks for the first words."""
        await RisingEdge(self._dut.attention)

    async def _refill(self, waiting: list[NDArray[np.uint64]]) -> None:
        """Fill the exhausted buffers, go on, and come back at the next call for attention."""
        exhausted = int(self._dut.exhausted.value)
        for row in range(self._rows):
            if exhausted >> row & 1:
                chunk, waiting[row] = np.split(waiting[row], [self._capacity])
                words = np.zeros(self._capacity, np.uint64)
                words[: len(chunk)] = chunk
                self._dut.stimulus[row].value = int.from_bytes(words.tobytes(), "little")
                self._dut.stimulus_words[row].value = len(chunk)
        self._dut.refilled.value = exhausted
        self._resume ^= 1
        self._dut.resume.value = self._resume
        await RisingEdge(self._dut.attention)

    def _take_responses(self) -> list[NDArray[np.uint64]]:
        taken = []
        for row in range(self._rows):
            count = int(self._dut.response_words[row].value)
            words = np.zeros(0, np.uint64)
            if count:
                value = self._dut.response[row].value.to_unsigned()
                data = value.to_bytes(self._capacity * FLIT.width // 8, "little")
                words = np.frombuffer(data, np.uint64)[:count]
            taken.append(words)
        return taken


def store_through_back_door(flits: NDArray[np.uint64]) -> None:
    """Put WRITE flits straight into the tiles' memories (tile_block.cpp); no time passes."""
    backdoor = ctypes.CDLL(None).nc64c_backdoor
    backdoor.argtypes = (ctypes.c_void_p, ctypes.c_int)
    refused = backdoor(np.ascontiguousarray(flits).ctypes.data, len(flits))
    if refused:
        raise ValueError(f"{refused} of {len(flits)} flits are not for a memory of this chip")


@cocotb.test()
async def play_job(dut: Any) -> None:
    """Read a job, run it, write its responses; progress goes out as one line per job part."""
    job = Job.load(Path(os.environ[JOB]))
    progress = int(os.environ[PROGRESS])
    ends = np.cumsum(job.parts)
    done = 0

    def on_phase(phases: int) -> None:
        nonlocal done
        while done < len(ends) and ends[done] <= phases:
            done += 1
            os.write(progress, b"\n")

    bench = Bench(dut)
    await bench.start()
    if len(job.backdoor):
        store_through_back_door(job.backdoor)
    responses = await bench.run(list(job.phases), on_phase)
    response = Response(tuple(responses), int(dut.cycles.value), int(dut.ticks.value))
    response.save(Path(os.environ[RESPONSE]))
