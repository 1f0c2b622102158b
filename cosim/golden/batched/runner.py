"""The batched golden model as a runner: as many stimuli at a time as a budget of memory allows."""

from collections.abc import Sequence

import torch

from cosim.golden.batched.chip import CPU, BatchedChip
from cosim.golden.runner import in_batches
from cosim.program.program import Program, configuration
from cosim.program.runner import Advance, Run, Stimulus, unheard
from cosim.program.stimulus import Step
from sw.common.errors import InputError

BUDGET = 1 << 30  # bytes that a batch may take, and as many the weights that are kept
BATCH = 256  # stimuli at once at most: beyond it nothing becomes faster
# Bytes of a neuron in a tick: membrane and current, both floats and whole, and what lies between.
NEURON_BYTES = 64
# Bytes of a SPIKE flit: itself, image, rectangle and place, and copies on the way. Of an axon: its
# spike, and that as a float, or where it is.
FLIT_BYTES, AXON_BYTES = 128, 8


class BatchedRunner:
    """Runs programs on a device; each is loaded once and its chip is kept.

    Stimuli of one program with the same number of steps must differ in their SPIKE flits only:
    `ValueError` otherwise. The result depends on neither `budget` (bytes) nor what ran before.
    Raises `InputError` where not even one stimulus fits the budget.
    """

    def __init__(self, device: torch.device = CPU, budget: int = BUDGET) -> None:
        self._device, self._budget = device, budget
        self._chips: dict[Program, BatchedChip] = {}

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        """The response to each stimulus, as `cosim.program.runner.Runner` has it."""
        size = batch_size(program, stimuli, self._budget)
        return in_batches(self._chip(program), stimuli, size, advance)

    def _chip(self, program: Program) -> BatchedChip:
        if program not in self._chips:
            chip = BatchedChip(program.shape, device=self._device, weights=self._budget)
            chip.run([Step(configuration(program), go=False)])
            self._chips[program] = chip
        return self._chips[program]


def batch_size(program: Program, stimuli: Sequence[Stimulus], budget: int) -> int:
    """Stimuli at once within so many bytes, before any are taken. Raises `InputError`: not one."""
    neurons = max((core.neurons for core in program.cores), default=0)
    pages = max((core.pages for core in program.cores), default=0)
    flits = max((len(step.flits) for stimulus in stimuli for step in stimulus), default=0)
    core = NEURON_BYTES * neurons + AXON_BYTES * pages * program.shape.axons
    each = core * program.shape.cores + FLIT_BYTES * flits
    if each > budget:
        raise InputError(
            f"batched golden model: one stimulus of this program takes {each:,} bytes of its"
            f" {budget:,}: send fewer spikes a tick, or take the golden model in numpy"
            " (--golden numpy)"
        )
    return min(BATCH, budget // max(each, 1))
