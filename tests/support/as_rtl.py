"""The golden model in the RTL's place, as it is or with a mistake: no simulator is needed."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosim.golden.runner import GoldenRunner
from cosim.program.errors import Mismatch
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Stimulus, unheard
from hw.spec import FLIT, Kind, Region, Register, ResetMode

NOTHING = np.zeros(0, np.uint64)


class Right:
    """The golden model, as if it were RTL."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        return GoldenRunner().run(program, stimuli, advance)


class Wrong(Right):
    """The same, whose neurons never reset by subtraction."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        cores = [
            replace(core, reset=ResetMode.ZERO if core.reset is ResetMode.SUBTRACT else core.reset)
            for core in program.cores
        ]
        steps = [[replace(step, flits=self.spoilt(step.flits)) for step in s] for s in stimuli]
        return super().run(replace(program, cores=tuple(cores)), steps, advance)

    @staticmethod
    def spoilt(flits: NDArray[np.uint64]) -> NDArray[np.uint64]:
        mode = (FLIT.get(flits, "kind") == Kind.WRITE) & (FLIT.get(flits, "data") == 1)
        mode &= FLIT.get(flits, "region") == Region.REGISTER
        mode &= FLIT.get(flits, "offset") == Register.RESET_MODE
        return np.where(mode, flits & ~np.uint64(1), flits)


class Hanging(Right):
    """The same, which hangs where a core is reset by subtraction."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        flits = np.concatenate([step.flits for s in stimuli for step in s] or [NOTHING])
        modes = {core.reset for core in program.cores}
        if ResetMode.SUBTRACT in modes or (Wrong.spoilt(flits) != flits).any():
            raise Mismatch("the RTL hangs: for a test")
        return super().run(program, stimuli, advance)
