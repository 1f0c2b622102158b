"""The chip in Amaranth's own simulator, which is Python: no Verilog, no Verilator, no cocotb.

It plays what tb.sv plays, by the same rules.
"""

import time
from typing import Any

import numpy as np
from amaranth.sim import Simulator
from numpy.typing import NDArray

from cosim.program.runner import Advance
from cosim.rtl.played import STEP_END, SimulatorInput, SimulatorOutput
from cosim.rtl.runner import RtlRunner
from cosim.rtl.tb.testbench import port_words
from hw.chip import Chip
from hw.spec import FLIT, GO_CYCLES, ChipShape, Kind

PERIOD_S = 1e-6  # of the simulated clock
RESET_CYCLES = 4  # before the first flit: tiles see a reset a cycle later


def runner(shape: ChipShape) -> RtlRunner:
    """Runs programs in Amaranth's simulator; everything is loaded through the front door."""

    def run(given: SimulatorInput, advance: Advance) -> SimulatorOutput:
        played = play(shape, given)
        advance(len(given.stimuli))
        return played.response

    return RtlRunner(run, back_door=False)


def play(shape: ChipShape, given: SimulatorInput) -> "Played":
    """Plays its input into the chip, through the front door."""
    if len(given.backdoor):
        raise ValueError("Amaranth's simulator has no back door")
    played = Played(Chip(shape), port_words(list(given.steps), shape.rows), len(given.steps))
    simulator = Simulator(played.chip)
    simulator.add_clock(PERIOD_S)
    simulator.add_testbench(played.drive)
    simulator.run()
    return played


class Played:
    """What the chip answered to its input, and when each step was over, in CPU seconds."""

    def __init__(self, chip: Chip, words: list[NDArray[np.uint64]], steps: int) -> None:
        self.chip = chip
        self.ended: list[float] = []
        self._words = [mine.tolist() for mine in words]
        self._place = [0] * len(words)  # of each port, among its words
        self._count = steps
        self._steps: list[list[int]] = [[] for _ in range(steps)]
        self._cycles = self._ticks = 0

    @property
    def response(self) -> SimulatorOutput:
        flits = tuple(np.array(step, np.uint64) for step in self._steps)
        return SimulatorOutput(flits, self._cycles, self._ticks)

    async def drive(self, ctx: Any) -> None:
        """Runs until the last step is over."""
        await ctx.tick().repeat(RESET_CYCLES)
        for port in self.chip.host_out:
            ctx.set(port.ready, 1)
        ending = overlapping = False
        settling = 0  # cycles in which a flit might still be for the tick just given
        while len(self.ended) < self._count:
            taken = self._offer(ctx, settling)
            quiet = all(map(self._at_end, range(len(self._words)))) and bool(
                ctx.get(self.chip.idle)
            )
            end = self._word(0)
            go = quiet and not ending and bool(STEP_END.get(end, "tick"))
            over = quiet and (ending or not STEP_END.get(end, "tick"))
            overlap = go and bool(STEP_END.get(end, "overlap"))
            ctx.set(self.chip.go, go)
            self._hear(ctx)
            await ctx.tick()
            self._cycles += 1
            self._ticks += go
            refill = overlap or (over and not overlapping)
            for port in range(len(self._words)):
                self._place[port] += refill or port in taken
            if over:
                self.ended.append(time.process_time())
            ending, overlapping = (ending or go) and not over, (overlapping or overlap) and not over
            settling = GO_CYCLES if go else max(0, settling - 1)

    def _offer(self, ctx: Any, settling: int) -> set[int]:
        """Shows the ports their words; those of which the chip takes one in this cycle."""
        taken = set()
        for number, port in enumerate(self.chip.host_in):
            valid = not self._at_end(number) and not settling
            ctx.set(port.payload.as_value(), self._word(number))
            ctx.set(port.valid, valid)
            if valid and ctx.get(port.ready):
                taken.add(number)
        return taken

    def _hear(self, ctx: Any) -> None:
        for port in self.chip.host_out:
            if ctx.get(port.valid):
                self._steps[len(self.ended)].append(ctx.get(port.payload.as_value()))

    def _word(self, port: int) -> int:
        words: list[int] = self._words[port]
        return words[min(self._place[port], len(words) - 1)]

    def _at_end(self, port: int) -> bool:
        return bool(FLIT.get(self._word(port), "kind") == Kind.HOST)
