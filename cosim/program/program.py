"""Programs: what all cores hold, and the flits that load it through the front door.

A `Program` is a `CoreImage` per core and what the host must know to feed the chip and to read it.
All formats are `hw.spec`'s.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage, core_number, core_xy
from hw.spec import (
    DATA_BITS,
    FANOUT_RANGE,
    FLIT,
    LEAK,
    MAX_PLANES,
    MESH_COLUMNS,
    MESH_ROWS,
    NEURON_STRIDE,
    NEURONS,
    PAGE_COUNTS,
    ROW_WORDS,
    ChipShape,
    Kind,
    NeuronWord,
    Region,
    Register,
)

WORD_MASK = (1 << DATA_BITS) - 1
Rectangle = tuple[int, int, int, int]  # x0, y0, x1, y1 of cores, inclusive


@dataclass(frozen=True, eq=False)
class InputMap:
    """Which SPIKE flits the host sends for which spike of the streamed layer.

    `neuron` int64 [flits] is an index into the flattened `shape` (C, H, W); `flit` uint64 [flits].
    """

    shape: tuple[int, int, int]
    neuron: NDArray[np.int64]
    flit: NDArray[np.uint64]

    def flits(self, spikes: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """SPIKE flits (uint64 [n]) of one timestep; `spikes` is bool [C, H, W]."""
        if spikes.shape != self.shape or spikes.dtype != np.bool_:
            raise ValueError(
                f"input spikes are {spikes.dtype} {spikes.shape}, must be bool {self.shape}"
            )
        return self.flit[spikes.reshape(-1)[self.neuron]]


@dataclass(frozen=True, eq=False)
class LayerMap:
    """Where the neurons of a layer sit: `core` (core numbers) and `neuron`, int64 [C, H, W].

    Its timestep t happens in chip tick t + `delay`.
    """

    name: str
    delay: int
    core: NDArray[np.int64]
    neuron: NDArray[np.int64]

    def site(self, core: NDArray[np.int64], neuron: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat index in (C, H, W) of these neurons, int64 [n]; -1 for one that is not here."""
        exists = neuron < NEURONS
        return np.where(exists, self._sites[core, np.where(exists, neuron, 0)], -1)

    @cached_property
    def _sites(self) -> NDArray[np.int64]:
        sites = np.full((MESH_COLUMNS * MESH_ROWS, NEURONS), -1, np.int64)
        sites[self.core.ravel(), self.neuron.ravel()] = np.arange(self.core.size)
        return sites


@dataclass(frozen=True, eq=False)
class Program:
    """The whole chip's contents; `layers` (the last one is the class read-out), `inputs` and
    `timesteps` (T of the algorithm) are there when it was mapped from a network. `timestep_writes`
    are WRITE flits (uint64 [n]) that go in with the input of each timestep, if there are any.

    Raises `ValueError` for what does not fit the chip.
    """

    shape: ChipShape
    cores: tuple[CoreImage, ...]
    layers: tuple[LayerMap, ...] = ()
    inputs: InputMap | None = None
    timesteps: int = 0
    timestep_writes: tuple[NDArray[np.uint64], ...] = ()

    def __post_init__(self) -> None:
        for core in self.cores:
            core.check(self.shape)
        if len({core.number for core in self.cores}) < len(self.cores):
            raise ValueError("two core images for one core")
        if self.timestep_writes and len(self.timestep_writes) != self.timesteps:
            raise ValueError(f"writes for {len(self.timestep_writes)} of {self.timesteps} steps")

    def tick(self, timestep: int, spikes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """All flits that go in before the tick of this timestep, with its SPIKE flits."""
        return (
            np.concatenate([self.timestep_writes[timestep], spikes])
            if self.timestep_writes
            else spikes
        )

    @property
    def ticks(self) -> int:
        """How many ticks one image takes. The layers are pipelined, one tick apart."""
        return self.timesteps + max((layer.delay for layer in self.layers), default=0)


def configuration(program: Program) -> NDArray[np.uint64]:
    """The WRITE flits (uint64 [n]) that load a program; their order does not matter.

    Synapse rows that no neuron uses are left alone. What is the same in several cores goes out once
    per rectangle of them. Cores without an image get NEURONS = 0, so that a chip that ran another
    program before is silent there.
    """
    tables: dict[tuple[Region, int], list[_Records]] = {}
    for core in program.cores:
        for region, offset, data in _core_tables(core):
            number = np.full(len(offset), core.number, np.uint64)
            tables.setdefault((region, data.shape[1]), []).append((number, offset, data))
    used = {core.number for core in program.cores}
    columns, rows = range(program.shape.columns), range(program.shape.rows)
    idle = np.array(
        [core_number(x, y) for y in rows for x in columns if core_number(x, y) not in used],
        np.uint64,
    )
    silence = _column({int(Register.NEURONS): 0})
    silence = (silence[0].repeat(len(idle)), silence[1].repeat(len(idle), axis=0))
    tables.setdefault((Region.REGISTER, 1), []).append((idle, *silence))
    return np.concatenate([_multicast(region, parts) for (region, _), parts in tables.items()])


def host_port(flits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Mesh row (int64 [n]) of the west port that each flit enters at: its rectangle's first."""
    row: NDArray[np.uint64] = FLIT.get(flits, "y0")
    return row.astype(np.int64)


def rectangles(cores: frozenset[int]) -> tuple[Rectangle, ...]:
    """Disjoint rectangles that cover exactly these core numbers: widest first, then down."""
    left = {core_xy(number) for number in cores}
    found: list[Rectangle] = []
    while left:
        x0, y0 = min(left, key=lambda core: (core[1], core[0]))
        x1 = x0
        while (x1 + 1, y0) in left:
            x1 += 1
        y1 = y0
        while all((x, y1 + 1) in left for x in range(x0, x1 + 1)):
            y1 += 1
        left -= {(x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)}
        found.append((x0, y0, x1, y1))
    return tuple(found)


# Words of one kind of memory in several cores: core numbers uint64 [n], offset of each record's
# first word int64 [n], its words uint32 [n, words].
_Records = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32]]
_Table = tuple[NDArray[np.int64], NDArray[np.uint32]]


def _core_tables(core: CoreImage) -> list[tuple[Region, NDArray[np.int64], NDArray[np.uint32]]]:
    """A core's memories: region, offset of each record's first word [n], data [n, words]."""
    rows = core.synapses.reshape(-1, core.synapses.shape[-1])
    row_data = np.packbits(rows, axis=1, bitorder="little").view("<u4").astype(np.uint32)
    fanout_range = FANOUT_RANGE.pack(
        start=core.fanout_start.astype(np.uint64), count=core.fanout_count.astype(np.uint64)
    )
    neuron = np.zeros((core.neurons, len(NeuronWord)), np.uint32)
    neuron[:, NeuronWord.THRESHOLD] = core.threshold.view(np.uint32)
    neuron[:, NeuronWord.BIAS] = core.bias.view(np.uint32)
    neuron[:, NeuronWord.FANOUT] = fanout_range.astype(np.uint32)
    return [
        (Region.REGISTER, *_column(_registers(core))),
        (Region.NEURON, np.arange(core.neurons) * NEURON_STRIDE, neuron),
        (Region.FANOUT, np.arange(len(core.fanout)), core.fanout.reshape(-1, 1)),
        (Region.SYNAPSE, np.arange(len(rows)) * ROW_WORDS, row_data),
    ]


def _registers(core: CoreImage) -> dict[int, int]:
    """Value of every register but CONTROL; those of unused planes are 0."""
    weights = (*core.plane_weights, *[0] * (MAX_PLANES - core.planes))
    return {
        Register.PLANES: core.planes,
        Register.PAGE_SHIFT: PAGE_COUNTS.index(core.pages),
        Register.NEURONS: core.neurons,
        Register.LEAK: 0 if core.leak is None else LEAK.pack(shift=core.leak, enable=1),
        Register.RESET_MODE: int(core.reset),
        Register.NOISE_MASK: core.noise_mask,
        Register.SEED: core.seed,
        Register.FLOOR: core.floor,
        Register.FIRST_TICK: core.first_tick,
        Register.LAST_TICK: core.last_tick,
        Register.TRACE: int(core.trace),
        **{Register.PLANE_WEIGHT + plane: weight for plane, weight in enumerate(weights)},
    }


def _column(words: dict[int, int]) -> _Table:
    """Single words {offset: value, signed or not} as records."""
    data = [value & WORD_MASK for value in words.values()]
    return np.array(list(words), np.int64), np.array(data, np.uint32).reshape(-1, 1)


def _multicast(region: Region, parts: list[_Records]) -> NDArray[np.uint64]:
    """WRITE flits of these records, each record once for every rectangle of cores that share it."""
    numbers, offsets, data = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not len(numbers):
        return np.zeros(0, np.uint64)
    record = np.column_stack([offsets.astype(np.uint32), data])
    as_bytes = np.ascontiguousarray(record).view(
        np.dtype((np.void, record.itemsize * record.shape[1]))
    )
    _, first, group = np.unique(as_bytes.ravel(), return_index=True, return_inverse=True)
    sharers = np.zeros(len(first), np.uint64)  # bit c: core number c holds this record
    np.bitwise_or.at(sharers, group, np.uint64(1) << numbers)
    words = FLIT.pack(
        kind=int(Kind.WRITE),
        region=int(region),
        offset=(offsets[first, None] + np.arange(data.shape[1])).astype(np.uint64),
        data=data[first].astype(np.uint64),
    )
    flits = []
    for mask in np.unique(sharers):
        shared = words[sharers == mask].ravel()
        for x0, y0, x1, y1 in _cover(int(mask)):
            flits.append(shared | np.uint64(FLIT.pack(x0=x0, y0=y0, x1=x1, y1=y1)))
    return np.concatenate(flits)


@lru_cache(maxsize=4096)
def _cover(mask: int) -> tuple[Rectangle, ...]:
    numbers = range(MESH_COLUMNS * MESH_ROWS)
    return rectangles(frozenset(number for number in numbers if mask >> number & 1))
