"""A core image: all that one core of the chip holds, checked against what it can hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw.spec import (
    COORD_BITS,
    FANOUT,
    FANOUT_BITS,
    FANOUT_ENTRIES,
    LEAK_BITS,
    PAGE_COUNTS,
    REGISTERS,
    ChipShape,
    Register,
    ResetMode,
)

_RESET = {which: REGISTERS[which].reset for which in Register}
_RESET_MODE = ResetMode(_RESET[Register.RESET_MODE])
# First and last tick of a core that is always active.
ALWAYS = (_RESET[Register.FIRST_TICK], _RESET[Register.LAST_TICK])


def core_number(x: int, y: int) -> int:
    """One number for a core, the same in every shape of chip; row-major on the full one."""
    return y << COORD_BITS | x


def core_xy(number: int) -> tuple[int, int]:
    """Mesh column and row of a core number."""
    return number & ((1 << COORD_BITS) - 1), number >> COORD_BITS


@dataclass(frozen=True, eq=False, kw_only=True)
class CoreImage:
    """All that one core holds; the defaults are the registers' values after reset.

    `synapses` is bool [pages, neurons, planes, axons], in the order in which `hw.spec` numbers
    dendrites; `threshold` and `bias` int32 [neurons], in membrane units. Neuron n sends to
    `fanout[fanout_start[n]:][:fanout_count[n]]`, FANOUT words (uint32 [entries]). Raises
    `ValueError` for what the registers or memories cannot hold.
    """

    x: int
    y: int
    planes: int = _RESET[Register.PLANES]
    plane_weights: tuple[int, ...]
    pages: int = PAGE_COUNTS[_RESET[Register.PAGE_SHIFT]]
    neurons: int
    leak: int | None = None  # LEAK is 0 after reset
    reset: ResetMode = _RESET_MODE
    noise_mask: int = _RESET[Register.NOISE_MASK]
    seed: int = _RESET[Register.SEED]
    floor: int = _RESET[Register.FLOOR]
    first_tick: int = ALWAYS[0]
    last_tick: int = ALWAYS[1]
    trace: bool = bool(_RESET[Register.TRACE])
    synapses: NDArray[np.bool_]
    threshold: NDArray[np.int32]
    bias: NDArray[np.int32]
    fanout_start: NDArray[np.int64]
    fanout_count: NDArray[np.int64]
    fanout: NDArray[np.uint32]

    @property
    def number(self) -> int:
        return core_number(self.x, self.y)

    def check(self, shape: ChipShape) -> None:
        """Raises `ValueError`, with the first thing that a core of this chip cannot hold."""
        self._check_registers(shape)
        self._check_memories(shape)
        self._check_fanout(shape)

    def _check_registers(self, shape: ChipShape) -> None:
        self._within("x", self.x, 0, shape.columns - 1)
        self._within("y", self.y, 0, shape.rows - 1)
        self._within("planes", self.planes, 1, REGISTERS[Register.PLANES].most)
        if self.pages not in PAGE_COUNTS:
            raise ValueError(f"{self._name}: pages = {self.pages}, must be one of {PAGE_COUNTS}")
        self._within("neurons", self.neurons, 0, shape.dendrites)
        rows = self.neurons * self.planes * self.pages
        self._within("neurons x planes x pages", rows, 0, shape.dendrites)
        if len(self.plane_weights) != self.planes:
            raise ValueError(
                f"{self._name}: {len(self.plane_weights)} plane weights for {self.planes}"
            )
        if self.leak is not None:
            self._within("leak", self.leak, 0, (1 << LEAK_BITS) - 1)
        for name, value, which in (
            *(("plane weight", weight, Register.PLANE_WEIGHT) for weight in self.plane_weights),
            ("noise mask", self.noise_mask, Register.NOISE_MASK),
            ("seed", self.seed, Register.SEED),
            ("floor", self.floor, Register.FLOOR),
            ("first tick", self.first_tick, Register.FIRST_TICK),
            ("last tick", self.last_tick, Register.LAST_TICK),
        ):
            self._within(name, value, REGISTERS[which].least, REGISTERS[which].most)

    def _check_memories(self, shape: ChipShape) -> None:
        rows = (self.pages, self.neurons, self.planes, shape.axons)
        for name, array, dtype, size in (
            ("synapses", self.synapses, np.bool_, rows),
            ("threshold", self.threshold, np.int32, (self.neurons,)),
            ("bias", self.bias, np.int32, (self.neurons,)),
            ("fanout_start", self.fanout_start, np.int64, (self.neurons,)),
            ("fanout_count", self.fanout_count, np.int64, (self.neurons,)),
            ("fanout", self.fanout, np.uint32, (len(self.fanout),)),
        ):
            if array.shape != size or array.dtype != dtype:
                raise ValueError(
                    f"{self._name}: {name} is {array.dtype} {array.shape}, "
                    f"must be {np.dtype(dtype)} {size}"
                )

    def _check_fanout(self, shape: ChipShape) -> None:
        self._within("fan-out entries", len(self.fanout), 0, FANOUT_ENTRIES)
        for name, array in (("fan-out start", self.fanout_start), ("count", self.fanout_count)):
            if array.size:
                self._within(name, int(array.min()), 0, (1 << FANOUT_BITS) - 1)
                self._within(name, int(array.max()), 0, (1 << FANOUT_BITS) - 1)
        used = self.fanout_count > 0
        if used.any():
            end = int((self.fanout_start + self.fanout_count)[used].max())
            self._within("end of a neuron's fan-out", end, 0, len(self.fanout))
        words = self.fanout.astype(np.uint64)
        x0, y0, x1, y1, axon, host = (
            FANOUT.get(words, name) for name in ("x0", "y0", "x1", "y1", "axon", "host")
        )
        inside = (x0 <= x1) & (y0 <= y1) & (x1 < shape.columns) & (y1 < shape.rows)
        wrong = (host == 0) & ~(inside & (axon < shape.axons)) | (
            words >> np.uint64(FANOUT.width) > 0
        )
        if wrong.any():
            entry = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"{self._name}: fan-out entry {entry} = {int(words[entry]):#x} is not a rectangle "
                f"and an axon of a {shape.columns} x {shape.rows} chip of {shape.axons} axons"
            )

    def _within(self, name: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            raise ValueError(f"{self._name}: {name} = {value}, must be {least} to {most}")

    @property
    def _name(self) -> str:
        return f"core ({self.x}, {self.y})"
