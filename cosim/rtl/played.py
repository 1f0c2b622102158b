"""What goes into a simulator process and comes back, as files of plain arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cosim.program.stimulus import Step
from hw.formats import Format

# The data of the HOST word that ends a step in the test bench: a tick runs; Python is woken; the
# next step's flits are played during the tick.
STEP_END = Format("STEP_END", tick=1, wake=1, overlap=1)


def _joined(arrays: list[NDArray[np.uint64]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Arrays end to end, and the length of each."""
    lengths = np.array([len(array) for array in arrays], np.int64)
    return np.concatenate([*arrays, np.zeros(0, np.uint64)]), lengths


def _split(words: NDArray[np.uint64], lengths: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
    return np.split(words, np.cumsum(lengths)[:-1]) if len(lengths) else []


@dataclass(frozen=True, eq=False)
class SimulatorInput:
    """`steps` for the chip; `stimuli` (int64 [n]) says how many of them each stimulus has.

    `backdoor` (uint64 [n]) are WRITE flits that are stored before the first step.
    """

    steps: tuple[Step, ...]
    stimuli: NDArray[np.int64]
    backdoor: NDArray[np.uint64]

    def save(self, path: Path) -> None:
        flits, lengths = _joined([step.flits for step in self.steps])
        go = np.array([step.go for step in self.steps], bool)
        with path.open("wb") as file:
            np.savez(
                file,
                flits=flits,
                lengths=lengths,
                go=go,
                stimuli=self.stimuli,
                backdoor=self.backdoor,
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as data:
            flits = _split(data["flits"], data["lengths"])
            steps = (Step(f, bool(go)) for f, go in zip(flits, data["go"], strict=True))
            return cls(tuple(steps), data["stimuli"], data["backdoor"])


@dataclass(frozen=True, eq=False)
class SimulatorOutput:
    """HOST flits of each step, and how many clock cycles and ticks all of them took."""

    steps: tuple[NDArray[np.uint64], ...]
    cycles: int
    ticks: int

    def save(self, path: Path) -> None:
        flits, lengths = _joined(list(self.steps))
        with path.open("wb") as file:
            np.savez(file, flits=flits, lengths=lengths, counts=[self.cycles, self.ticks])

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as data:
            cycles, ticks = map(int, data["counts"])
            return cls(tuple(_split(data["flits"], data["lengths"])), cycles, ticks)
