"""The golden model as a runner of jobs, many of them at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Phase

BATCH = 64  # jobs at once: as large as matrix products like, and small in memory


class GoldenRuns:
    """Runs the jobs of programs; each program is loaded once and its chip is kept.

    Call it with a program and jobs (phases each): the HOST flits (uint64 [n]) per job and phase.
    Jobs of one program with the same number of phases must differ in their SPIKE flits only. The
    result does not depend on `batch`.
    """

    def __init__(self, batch: int = BATCH) -> None:
        self._batch = batch
        self._chips: dict[Program, GoldenChip] = {}

    def __call__(
        self, program: Program, jobs: Sequence[Sequence[Phase]]
    ) -> list[list[NDArray[np.uint64]]]:
        chip = self._chip(program)
        responses: list[list[NDArray[np.uint64]]] = [[] for _ in jobs]
        for length in sorted({len(job) for job in jobs}):
            alike = [number for number, job in enumerate(jobs) if len(job) == length]
            for first in range(0, len(alike), self._batch):
                batch = alike[first : first + self._batch]
                chip.power_up(len(batch))
                answers = chip.run_images([jobs[number] for number in batch])
                for number, answer in zip(batch, answers, strict=True):
                    responses[number] = answer
        return responses

    def _chip(self, program: Program) -> GoldenChip:
        if program not in self._chips:
            chip = GoldenChip(program.shape)
            chip.run([Phase(configuration(program), go=False)])
            self._chips[program] = chip
        return self._chips[program]
