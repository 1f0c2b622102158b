"""Stuck synapses: cells of a chip that read 0, or 1, whatever is written to them.

They belong to the chip, not to what runs on it: a seed says which cells of which core are stuck,
and all programs of a mapping meet the same ones. So a program with stuck synapses is what is read
from the memories of such a chip.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.choose import Mapping
from cosim.mapping.streamed import Schedule
from cosim.program.core_image import CoreImage
from cosim.program.program import Program
from hw.spec import ChipShape
from sw.common.checks import check_range

MOST = 1000  # stuck of 1000 cells


class Cells:
    """The stuck cells of a chip: `per_mille` of each core's, half of them at 0."""

    def __init__(self, shape: ChipShape, per_mille: int, seed: int) -> None:
        self._shape, self._per_mille, self._seed = shape, per_mille, seed
        self._found: dict[int, tuple[NDArray[np.int64], NDArray[np.bool_]]] = {}

    def read(self, core: CoreImage) -> CoreImage:
        """What a core holds as its cells read it."""
        cells, values = self._of(core.number)
        synapses = core.synapses.copy().reshape(-1)
        used = cells < synapses.size  # those of dendrites behind the last one do nothing
        synapses[cells[used]] = values[used]
        return replace(core, synapses=synapses.reshape(core.synapses.shape))

    def _of(self, core: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Cells, counted dendrite by dendrite, and what they read."""
        if core not in self._found:
            random = np.random.default_rng([self._seed, core])
            every = self._shape.dendrites * self._shape.axons
            count = every * self._per_mille // MOST
            self._found[core] = (
                random.choice(every, count, replace=False),
                random.random(count) < 0.5,
            )
        return self._found[core]


def with_stuck(mapping: Mapping, per_mille: int, seed: int) -> Mapping:
    """The same on a chip of which so many synapses of 1000 are stuck; none for 0."""
    check_range("stuck synapses of 1000", per_mille, 0, MOST)
    if not per_mille:
        return mapping
    cells = Cells(mapping.shape, per_mille, seed)
    if isinstance(mapping, Program):
        return _read(mapping, cells)
    layers = tuple(
        replace(
            layer,
            rounds=tuple(
                replace(part, program=_read(part.program, cells)) for part in layer.rounds
            ),
        )
        for layer in mapping.layers
    )
    return Schedule(mapping.shape, mapping.timesteps, layers)


def _read(program: Program, cells: Cells) -> Program:
    return replace(program, cores=tuple(cells.read(core) for core in program.cores))
