"""The golden model as a runner, many stimuli at a time."""

from collections.abc import Sequence

from cosim.golden.chip import GoldenChip
from cosim.golden.door.front_door import FrontDoor
from cosim.program.program import Program, configuration
from cosim.program.runner import Advance, Response, Run, Stimulus, unheard
from cosim.program.stimulus import Step

BATCH = 64  # stimuli at once: as large as matrix products like, and small in memory


class GoldenRunner:
    """Runs programs; each is loaded once and its chip is kept.

    Stimuli of one program with the same number of steps must differ in their SPIKE flits only.
    The result does not depend on `batch`, nor on what ran before.
    """

    def __init__(self, batch: int = BATCH) -> None:
        self._batch = batch
        self._chips: dict[Program, GoldenChip] = {}

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        """The response to each stimulus, as `cosim.program.runner.Runner` has it."""
        return in_batches(self._chip(program), stimuli, self._batch, advance)

    def _chip(self, program: Program) -> GoldenChip:
        if program not in self._chips:
            chip = GoldenChip(program.shape)
            chip.run([Step(configuration(program), go=False)])
            self._chips[program] = chip
        return self._chips[program]


def in_batches(chip: FrontDoor, stimuli: Sequence[Stimulus], size: int, advance: Advance) -> Run:
    """The response of a loaded chip to each stimulus, at most `size` of one length at a time."""
    responses: list[Response] = [[] for _ in stimuli]
    for length in sorted({len(stimulus) for stimulus in stimuli}):
        alike = [n for n, stimulus in enumerate(stimuli) if len(stimulus) == length]
        for first in range(0, len(alike), size):
            batch = alike[first : first + size]
            chip.power_up(len(batch))
            answers = chip.run_images([stimuli[number] for number in batch])
            for number, answer in zip(batch, answers, strict=True):
                responses[number] = answer
            advance(len(batch))
    return Run(responses)
