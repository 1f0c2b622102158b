"""Seeded SPIKE flits to region AXONS, which carry the spikes of a group of axons as a bit map."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosim.program.packing import packed
from cosim.program.stimulus import Step
from hw.spec import AXON_GROUP, DATA_BITS, FLIT, MAX_PAGES, ChipShape, Kind, Region

WORD = 1 << DATA_BITS
MOST = 12  # flits more in a step


def in_groups(rng: np.random.Generator, shape: ChipShape, steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, in half of them spikes of one group in one flit; and in those that have nothing
    but spikes some flits more: any bit map, none and all of its bits, to any page and rectangle."""
    together = packed([step.flits for step in steps])
    for step, grouped in zip(steps, together, strict=True):
        flits = grouped if rng.random() < 0.5 else step.flits
        if (FLIT.get(flits, "kind") == Kind.SPIKE).all():
            flits = rng.permutation(np.concatenate([flits, _random_groups(rng, shape)]))
        yield replace(step, flits=flits)


def _random_groups(rng: np.random.Generator, shape: ChipShape) -> NDArray[np.uint64]:
    count = int(rng.integers(0, MOST))
    x, y = (
        np.sort(rng.integers(0, most, (2, count)), axis=0) for most in (shape.columns, shape.rows)
    )
    maps = rng.choice([0, WORD - 1, 1], count)
    maps = np.where(rng.random(count) < 0.5, maps, rng.integers(0, WORD, count))
    where = AXON_GROUP.pack(
        group=rng.integers(0, shape.axons // DATA_BITS, count).astype(np.uint64),
        page=rng.integers(0, MAX_PAGES, count).astype(np.uint64),
    )
    fields = {"x0": x[0], "y0": y[0], "x1": x[1], "y1": y[1], "data": maps}
    flits: NDArray[np.uint64] = FLIT.pack(
        kind=int(Kind.SPIKE),
        region=int(Region.AXONS),
        offset=where,
        **{name: value.astype(np.uint64) for name, value in fields.items()},
    )
    return flits.reshape(count)
