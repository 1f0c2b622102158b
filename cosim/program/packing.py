"""Spikes of one group of axons in one flit, and one by one again.

A host port and a link of the mesh take a flit a cycle: the spikes of a group take one together,
where they took one each.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hw.spec import (
    AXON,
    AXON_GROUP,
    CORNERS,
    DATA_BITS,
    FLIT,
    GROUP_BITS,
    Kind,
    Region,
)

Flits = NDArray[np.uint64]

CORNERS_MASK = FLIT.pack(**{name: FLIT.fields[name].mask for name in CORNERS})  # of a flit
_BIT = (1 << GROUP_BITS) - 1  # of an axon, its place in its group
_AXON = FLIT.pack(data=AXON.pack(axon=_BIT))  # the same in a SPIKE
_SHIFT = FLIT.fields["data"].offset + AXON.fields["axon"].offset


def packed(steps: Sequence[Flits]) -> list[Flits]:
    """The steps' flits (uint64 [n] each) with spikes of one group and rectangle in one flit.

    What is no spike keeps its place among the spikes before and behind it. A spike that comes twice
    comes twice: the core counts both.
    """
    flits = np.concatenate([np.zeros(0, np.uint64), *steps])
    step = np.repeat(np.arange(len(steps)), [len(each) for each in steps])
    single = (FLIT.get(flits, "kind") == Kind.SPIKE) & (FLIT.get(flits, "region") != Region.AXONS)
    spikes = np.flatnonzero(single)
    run = (np.cumsum(~single) + step)[spikes]  # of spikes with nothing between them
    group, bit = _groups(flits[spikes])
    order, begins = _grouped(run, group, bit)
    if len(begins) == len(spikes):
        return list(steps)
    first = np.minimum.reduceat(spikes[order], begins)
    axons = np.bitwise_or.reduceat(np.uint64(1) << bit[order], begins)
    alone = axons & (axons - np.uint64(1)) == 0
    together = np.where(alone, flits[first], _map_flits(flits[first], axons))
    kept = np.flatnonzero(~single)
    place = np.concatenate([kept, first])
    order = np.argsort(place)
    words = np.concatenate([flits[kept], together])[order]
    counts = np.bincount(step[place], minlength=len(steps))
    return np.split(words, np.cumsum(counts)[:-1])


def unpacked(flits: Flits) -> tuple[Flits, NDArray[np.int64]]:
    """SPIKE flits of one axon each, and for each the index of the flit that it comes from."""
    index = np.arange(len(flits))
    several = FLIT.get(flits, "region") == Region.AXONS
    if not several.any():
        return flits, index
    words = flits[several]
    bits = np.arange(DATA_BITS, dtype=np.uint64)
    which, bit = np.nonzero(FLIT.get(words, "data")[:, None] >> bits & np.uint64(1))
    where = FLIT.get(words[which], "offset")
    data = AXON.pack(
        axon=AXON_GROUP.get(where, "group") << np.uint64(GROUP_BITS) | bit.astype(np.uint64),
        page=AXON_GROUP.get(where, "page"),
    )
    spikes = FLIT.pack(kind=int(Kind.SPIKE), data=data) | words[which] & np.uint64(CORNERS_MASK)
    source = np.concatenate([index[~several], index[several][which]])
    order = np.argsort(source, kind="stable")
    return np.concatenate([flits[~several], spikes])[order], source[order]


def _groups(spikes: Flits) -> tuple[Flits, Flits]:
    """Of each SPIKE what it has in common with its group, and its axon's place in the group."""
    return spikes & ~np.uint64(_AXON), spikes >> np.uint64(_SHIFT) & np.uint64(_BIT)


def _grouped(
    run: NDArray[np.int64], group: Flits, bit: Flits
) -> tuple[NDArray[np.int64] | slice, NDArray[np.int64]]:
    """An order of the spikes in which those of one flit stand together, and where a flit begins.

    Of equal spikes of a run, the second one begins another flit. As a streamed layer's spikes come
    they are in order; then nothing is sorted but groups.
    """
    begins = _changes(run, group)
    if (begins[1:] | (bit[1:] > bit[:-1])).all():
        flit = np.lexsort((group[begins], run[begins]))
        if _changes(run[begins][flit], group[begins][flit]).all():
            return slice(None), np.flatnonzero(begins)
    order = np.lexsort((bit, group, run))
    turn = np.empty_like(run)
    turn[order] = _turns(run[order], group[order], bit[order])
    order = np.lexsort((turn, group, run))
    return order, np.flatnonzero(_changes(run[order], group[order], turn[order]))


def _turns(run: NDArray[np.int64], group: Flits, bit: Flits) -> NDArray[np.int64]:
    """Of sorted spikes how many equal ones stand before each."""
    place = np.arange(len(run))
    return place - np.maximum.accumulate(np.where(_changes(run, group, bit), place, 0))


def _changes(*keys: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where any of the sorted keys is another one than before."""
    new = np.ones(len(keys[0]), np.bool_)
    for place, key in enumerate(keys):
        changed = key[1:] != key[:-1]
        new[1:] = changed if place == 0 else new[1:] | changed
    return new


def _map_flits(spikes: Flits, axons: Flits) -> Flits:
    """Flits that go where these SPIKEs go, to these axons (uint64 bit maps) of their groups."""
    data = FLIT.get(spikes, "data")
    offset = AXON_GROUP.pack(
        group=AXON.get(data, "axon") >> np.uint64(GROUP_BITS), page=AXON.get(data, "page")
    )
    flits: Flits = FLIT.pack(
        kind=int(Kind.SPIKE), region=int(Region.AXONS), offset=offset, data=axons
    ) | spikes & np.uint64(CORNERS_MASK)
    return flits
