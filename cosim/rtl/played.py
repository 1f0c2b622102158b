"""What goes into a simulator process and comes back, as files of plain arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cosim.program.stimulus import BackPressure, Step
from hw.formats import Format
from hw.spec import FLIT, Kind

# What the HOST word that ends a step says to the test bench, below its `kind`: a tick runs; Python
# is woken; the next step's flits are played during the tick; the reset pin is pulled `after` cycles
# in it; from here on the host takes no flit in `share` of 256 cycles, by a pattern of `seed`.
STEP_END = Format(
    "STEP_END", tick=1, wake=1, overlap=1, reset=1, pressure=1, after=16, share=8, seed=16
)
RESET_CYCLES = 4  # in which the reset pin stays pulled
Flits = NDArray[np.uint64]


def end_word(step: Step, *, wake: bool = False, overlap: bool = False) -> int:
    """The word that ends a step."""
    pressure = step.back_pressure or BackPressure(0, 0)
    end = STEP_END.pack(
        tick=int(step.go),
        wake=int(wake),
        overlap=int(overlap),
        reset=int(step.reset_after is not None),
        pressure=int(step.back_pressure is not None),
        after=step.reset_after or 0,
        share=pressure.share,
        seed=pressure.seed,
    )
    return int(FLIT.pack(kind=int(Kind.HOST)) | end)


def answered(steps: Sequence[Step], heard: Sequence[Flits]) -> tuple[Flits, ...]:
    """The flits heard in each step, without those of steps that a reset cut off."""
    return tuple(
        flits if step.reset_after is None else np.zeros(0, np.uint64)
        for step, flits in zip(steps, heard, strict=True)
    )


class Pattern:
    """In which cycles the host takes flits: the same numbers as in tb.sv and icarus.sv."""

    def __init__(self) -> None:
        self._state = self._share = 0

    def begin(self, seed: int, share: int) -> None:
        self._state, self._share = 1 << 16 | seed, share

    def takes(self, port: int) -> bool:
        """Whether a port's flit is taken in this cycle."""
        return (self._state >> 3 * port & 0xFF) >= self._share

    def step(self) -> None:
        """On to the next cycle: a linear feedback of 32 bits."""
        x = self._state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        self._state = x ^ (x << 5 & 0xFFFFFFFF)


@dataclass(frozen=True)
class Trace:
    """Which waves a run records: those of tile (x, y), into `file` (FST).

    They begin when the tile has seen `first` ticks' `go`s since power-up, and end before it has
    seen more than `last`: tick t of the run, its input included, is in (t, t + 1).
    """

    x: int
    y: int
    first: int
    last: int
    file: Path


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
        resets = [-1 if s.reset_after is None else s.reset_after for s in self.steps]
        pressures = [
            (-1, -1) if s.back_pressure is None else (s.back_pressure.seed, s.back_pressure.share)
            for s in self.steps
        ]
        with path.open("wb") as file:
            np.savez(
                file,
                flits=flits,
                lengths=lengths,
                go=go,
                resets=np.array(resets, np.int64),
                pressures=np.array(pressures, np.int64).reshape(-1, 2),
                stimuli=self.stimuli,
                backdoor=self.backdoor,
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path, allow_pickle=False) as data:
            flits = _split(data["flits"], data["lengths"])
            resets = [None if after < 0 else after for after in data["resets"].tolist()]
            pressures = [
                None if seed < 0 else BackPressure(seed, share)
                for seed, share in data["pressures"].tolist()
            ]
            steps = map(Step, flits, data["go"].tolist(), resets, pressures)
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
