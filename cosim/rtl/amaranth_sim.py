"""The chip in Amaranth's own simulator, which is Python: no Verilog, no Verilator, no cocotb."""

import time
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from cosim.rtl.job import PHASE_END, Job, Response
from cosim.rtl.tb.testbench import port_words
from hw.chip import Chip
from hw.spec import FLIT, ChipShape, Kind

PERIOD_S = 1e-6  # of the simulated clock
RESET_CYCLES = 4  # before the first flit: tiles see a reset a cycle later


class Played:
    """What the chip answered to a job, and when each phase was over, in CPU seconds."""

    def __init__(self) -> None:
        self.phases: list[list[int]] = [[]]
        self.ended: list[float] = []
        self.cycles = 0

    @property
    def response(self) -> Response:
        phases = tuple(np.array(flits, np.uint64) for flits in self.phases[:-1])
        return Response(phases, self.cycles, ticks=0)


def play(shape: ChipShape, job: Job) -> Played:
    """Plays a job into the chip, of one row of cores, through the front door."""
    if shape.rows != 1 or len(job.backdoor):
        raise ValueError("one host port, and no back door")
    (words,) = port_words(list(job.phases), 1)
    chip, played = Chip(shape), Played()

    async def drive(ctx: Any) -> None:
        await ctx.tick().repeat(RESET_CYCLES)
        for word in words.tolist():
            if FLIT.get(word, "kind") == Kind.HOST:
                await _end_phase(ctx, chip, played, word)
            else:
                await _send(ctx, chip, played, word)

    simulator = Simulator(chip)
    simulator.add_clock(PERIOD_S)
    simulator.add_testbench(drive)
    simulator.run()
    return played


async def _send(ctx: Any, chip: Chip, played: Played, word: int) -> None:
    port = chip.host_in[0]
    ctx.set(port.payload.as_value(), word)
    ctx.set(port.valid, 1)
    taken = False
    while not taken:
        taken = bool(ctx.get(port.ready))
        await _cycle(ctx, chip, played)
    ctx.set(port.valid, 0)


async def _end_phase(ctx: Any, chip: Chip, played: Played, word: int) -> None:
    while not ctx.get(chip.idle):
        await _cycle(ctx, chip, played)
    if PHASE_END.get(word, "tick"):
        ctx.set(chip.go, 1)
        await _cycle(ctx, chip, played)
        ctx.set(chip.go, 0)
        while not (PHASE_END.get(word, "overlap") or ctx.get(chip.idle)):
            await _cycle(ctx, chip, played)
    played.ended.append(time.process_time())
    played.phases.append([])


async def _cycle(ctx: Any, chip: Chip, played: Played) -> None:
    port = chip.host_out[0]
    ctx.set(port.ready, 1)
    if ctx.get(port.valid):
        played.phases[-1].append(ctx.get(port.payload.as_value()))
    await ctx.tick()
    played.cycles += 1
