"""Stimulus and response: the flits of one image as steps, and what comes back as spikes.

Golden model and RTL take the same steps; routers reorder, so responses are compared sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosim.program.program import Program
from hw.spec import (
    AXON,
    COORD_BITS,
    DATA_BITS,
    FLIT,
    MEMBRANE_BITS,
    ChipShape,
    Control,
    Kind,
    Region,
    Register,
)

MOST_RESET_AFTER = (1 << 16) - 1  # cycles
MOST_SEED, MOST_SHARE = (1 << 16) - 1, 255  # of back-pressure


@dataclass(frozen=True)
class BackPressure:
    """The host takes no flit in `share` of 256 cycles on average, by a pattern of `seed`."""

    seed: int
    share: int

    def __post_init__(self) -> None:
        for name, value, most in (
            ("seed", self.seed, MOST_SEED),
            ("share", self.share, MOST_SHARE),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"back-pressure: {name} = {value}, must be 0 to {most}")


@dataclass(frozen=True, eq=False)
class Step:
    """Inject `flits` (uint64 [n]), wait until the chip is idle; then, if `go`, run one tick.

    With `reset_after`, the chip's reset pin is pulled so many cycles after that `go`, and the step
    is over when the chip is idle again: its answers are not known, and are none. `back_pressure`
    begins when the flits are in and stays until another one begins. Raises `ValueError`.
    """

    flits: NDArray[np.uint64]
    go: bool
    reset_after: int | None = None
    back_pressure: BackPressure | None = None

    def __post_init__(self) -> None:
        if self.reset_after is not None:
            if not self.go:
                raise ValueError("a step without a tick cannot be reset in its tick")
            if not 0 <= self.reset_after <= MOST_RESET_AFTER:
                raise ValueError(
                    f"reset after {self.reset_after} cycles: must be 0 to {MOST_RESET_AFTER}"
                )


class Observation(NamedTuple):
    """What one image's responses say; both arrays are int64 and sorted by row.

    `spikes` [n, 3]: tick, core number, neuron. `membranes` [n, 3]: core number, neuron, value.
    """

    spikes: NDArray[np.int64]
    membranes: NDArray[np.int64]


def write(region: Region, offset: int, data: int, *, x: int, y: int) -> np.uint64:
    """A WRITE flit of one word (data signed or not) to one core."""
    word = data & ((1 << DATA_BITS) - 1)
    return _access(Kind.WRITE, region, offset, word, x, y)


def box(x: int, y: int, x1: int | None = None, y1: int | None = None) -> dict[str, int]:
    """The corners of a rectangle of cores, as flits and destinations have them; None: one core."""
    return {"x0": x, "y0": y, "x1": x if x1 is None else x1, "y1": y if y1 is None else y1}


def spike(
    axon: int, *, x: int, y: int, x1: int | None = None, y1: int | None = None, page: int = 0
) -> np.uint64:
    """A SPIKE flit to one axon of core (x, y), or of all cores of the rectangle to (x1, y1)."""
    data = AXON.pack(axon=axon, page=page)
    return np.uint64(FLIT.pack(kind=int(Kind.SPIKE), data=data, **box(x, y, x1, y1)))


def read(region: Region, offset: int, count: int, *, x: int, y: int) -> np.uint64:
    """A READ flit for `count` words of one core, from `offset` up."""
    return _access(Kind.READ, region, offset, count, x, y)


def control(shape: ChipShape, command: Control) -> Step:
    """The step that gives a command to all cores."""
    flit = FLIT.pack(
        kind=int(Kind.WRITE),
        region=int(Region.REGISTER),
        offset=int(Register.CONTROL),
        data=int(command),
        x1=shape.columns - 1,
        y1=shape.rows - 1,
    )
    return Step(np.array([flit], np.uint64), go=False)


def read_membranes(program: Program) -> Step:
    """The step that reads the membranes of all neurons of the program."""
    flits = [read(Region.MEMBRANE, 0, core.neurons, x=core.x, y=core.y) for core in program.cores]
    return Step(np.array(flits, np.uint64), go=False)


def image_stimulus(program: Program, spikes: NDArray[np.bool_]) -> list[Step]:
    """All that one image needs: restart, its input spikes tick by tick, read-back of membranes.

    `spikes` is bool [T, C, H, W], what is streamed in. The ticks after the T-th bring the last
    timestep through the deeper layers. Raises `ValueError` for spikes of another shape.
    """
    if program.inputs is None:
        raise ValueError("the program has no input map")
    if len(spikes) != program.timesteps:
        raise ValueError(f"{len(spikes)} steps of input, the program takes {program.timesteps}")
    nothing = np.zeros(0, np.uint64)
    streamed = [
        Step(program.tick(timestep, program.inputs.flits(fired)), go=True)
        for timestep, fired in enumerate(spikes)
    ]
    drained = [Step(nothing, go=True)] * (program.ticks - program.timesteps)
    restart = control(program.shape, Control.RESTART)
    return [restart, *streamed, *drained, read_membranes(program)]


def decode(responses: Sequence[NDArray[np.uint64]]) -> Observation:
    """Spikes and membranes in the responses to one image's steps; other read-back is left out.

    A spike that was sent twice (traced, and with a fan-out entry to the host) is there twice.
    """
    flits = np.concatenate([np.zeros(0, np.uint64), *responses])
    region, offset, data, x, y = (
        FLIT.get(flits, name).astype(np.int64) for name in ("region", "offset", "data", "x0", "y0")
    )
    core = y << COORD_BITS | x
    value = np.where(data >> (MEMBRANE_BITS - 1), data - (1 << MEMBRANE_BITS), data)
    spike, membrane = region == Region.SPIKE, region == Region.MEMBRANE
    return Observation(
        _sorted_rows(data[spike], core[spike], offset[spike]),
        _sorted_rows(core[membrane], offset[membrane], value[membrane]),
    )


def layer_spikes(program: Program, observation: Observation) -> dict[str, NDArray[np.bool_]]:
    """Spikes per layer before pooling, bool [T, C, H, W], by timestep of the algorithm.

    Raises `ValueError` for a spike that no layer has at that tick: it must not go unseen.
    """
    tick, core, neuron = observation.spikes.T
    seen = np.zeros(len(tick), np.bool_)
    found = {}
    for layer in program.layers:
        site = layer.site(core, neuron)
        timestep = tick - layer.delay
        here = (site >= 0) & (timestep >= 0) & (timestep < program.timesteps)
        spikes = np.zeros((program.timesteps, layer.core.size), np.bool_)
        spikes[timestep[here], site[here]] = True
        found[layer.name] = spikes.reshape(-1, *layer.core.shape)
        seen |= here
    if not seen.all():
        first = observation.spikes[np.flatnonzero(~seen)[0]]
        raise ValueError("tick {}, core {}, neuron {}: a spike of no layer".format(*first))
    return found


def class_membranes(program: Program, observation: Observation) -> NDArray[np.int64]:
    """Membranes of the last layer, int64 [classes]; `ValueError` where one was not read."""
    output = program.layers[-1]
    core, neuron, value = observation.membranes.T
    site = output.site(core, neuron)
    if len(np.unique(site[site >= 0])) < output.core.size:
        raise ValueError(f"layer {output.name}: not all membranes were read")
    membranes = np.zeros(output.core.size, np.int64)
    membranes[site[site >= 0]] = value[site >= 0]
    return membranes


def _access(kind: Kind, region: Region, offset: int, data: int, x: int, y: int) -> np.uint64:
    fields = {"region": int(region), "offset": offset, "data": data}
    return np.uint64(FLIT.pack(kind=int(kind), **fields, **box(x, y)))


def _sorted_rows(*columns: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = np.column_stack(columns)
    return rows[np.lexsort(rows.T[::-1])]
