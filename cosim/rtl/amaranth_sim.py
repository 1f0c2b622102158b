"""The chip in Amaranth's own simulator, which is Python: no Verilog, no Verilator, no cocotb.

It plays what tb.sv plays, by the same rules.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from amaranth import ClockDomain, Module
from amaranth.sim import Simulator
from numpy.typing import NDArray

from cosim.program.runner import Advance
from cosim.program.stimulus import Step
from cosim.rtl.played import (
    RESET_CYCLES,
    STEP_END,
    Pattern,
    SimulatorInput,
    SimulatorOutput,
    answered,
)
from cosim.rtl.runner import RtlRunner
from cosim.rtl.tb.testbench import port_words
from hw.chip import Chip
from hw.spec import FLIT, GO_CYCLES, ChipShape, Kind

PERIOD_S = 1e-6  # of the simulated clock
SETTLE_CYCLES = 4  # before the first flit: tiles see a reset a cycle later


def runner(shape: ChipShape) -> RtlRunner:
    """Runs programs in Amaranth's simulator; everything is loaded through the front door."""

    def run(given: SimulatorInput, advance: Advance) -> SimulatorOutput:
        played = play(shape, given)
        advance(len(given.stimuli))
        return played.response

    return RtlRunner(run, back_door=False, packs=True)


def play(shape: ChipShape, given: SimulatorInput) -> "Played":
    """Plays its input into the chip, through the front door."""
    if len(given.backdoor):
        raise ValueError("Amaranth's simulator has no back door")
    played = Played(Chip(shape), port_words(list(given.steps), shape.rows), given.steps)
    top = Module()
    top.domains.sync = played.domain
    top.submodules.chip = played.chip
    simulator = Simulator(top)
    simulator.add_clock(PERIOD_S)
    simulator.add_testbench(played.drive)
    simulator.run()
    return played


class Played:
    """What the chip answered to its input, and when each step was over, in CPU seconds."""

    def __init__(self, chip: Chip, words: list[NDArray[np.uint64]], steps: Sequence[Step]) -> None:
        self.chip = chip
        self.domain = ClockDomain("sync")
        self.ended: list[float] = []
        self._words = [mine.tolist() for mine in words]
        self._place = [0] * len(words)  # of each port, among its words
        self._steps = steps
        self._heard: list[list[int]] = [[] for _ in steps]
        self._pattern = Pattern()
        self._fuse = -1  # cycles until the reset pin is pulled; -1: it will not be
        self._pulled = 0  # cycles for which it stays pulled
        self._cycles = self._ticks = 0

    @property
    def response(self) -> SimulatorOutput:
        flits = [np.array(heard, np.uint64) for heard in self._heard]
        return SimulatorOutput(answered(self._steps, flits), self._cycles, self._ticks)

    async def drive(self, ctx: Any) -> None:
        """Runs until the last step is over."""
        await ctx.tick().repeat(SETTLE_CYCLES)
        while not ctx.get(self.chip.idle):
            await ctx.tick()
        ending = overlapping = False
        settling = 0  # cycles in which a flit might still be for the tick just given
        while len(self.ended) < len(self._steps):
            taken = self._offer(ctx, settling)
            at_end = all(map(self._at_end, range(len(self._words))))
            undisturbed = self._fuse < 0 and not self._pulled
            quiet = at_end and undisturbed and bool(ctx.get(self.chip.idle))
            end = self._word(0)
            go = quiet and not ending and bool(STEP_END.get(end, "tick"))
            over = quiet and (ending or not STEP_END.get(end, "tick"))
            overlap = go and bool(STEP_END.get(end, "overlap"))
            ctx.set(self.chip.go, go)
            self._hear(ctx)
            await ctx.tick()
            self._disturb(ctx, end if quiet and not ending else 0)
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
        for number, port in enumerate(self.chip.host_out):
            takes = self._pattern.takes(number) and not self._pulled
            ctx.set(port.ready, takes)
            if takes and ctx.get(port.valid):
                self._heard[len(self.ended)].append(ctx.get(port.payload.as_value()))

    def _disturb(self, ctx: Any, end: int) -> None:
        """On to the next cycle: what the reset pin and back-pressure do in it.

        `end` is the word that ended a step's flits in the last cycle, or 0.
        """
        if not self._pulled:
            self._pattern.step()
        self._pulled = RESET_CYCLES if self._fuse == 0 else max(0, self._pulled - 1)
        self._fuse = max(-1, self._fuse - 1)
        if STEP_END.get(end, "reset"):
            self._fuse = STEP_END.get(end, "after")
        if STEP_END.get(end, "pressure"):
            self._pattern.begin(STEP_END.get(end, "seed"), STEP_END.get(end, "share"))
        ctx.set(self.domain.rst, self._pulled > 0)

    def _word(self, port: int) -> int:
        words: list[int] = self._words[port]
        return words[min(self._place[port], len(words) - 1)]

    def _at_end(self, port: int) -> bool:
        return bool(FLIT.get(self._word(port), "kind") == Kind.HOST)
