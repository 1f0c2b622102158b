"""Core images written by hand: sizes follow from the arrays, and destinations have names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.program.core_image import CoreImage
from cosim.program.stimulus import box
from hw.spec import FANOUT

Destination = np.uint32  # a FANOUT word


def to_axons(
    axon: int, *, x: int, y: int, x1: int | None = None, y1: int | None = None, page: int = 0
) -> Destination:
    """A destination: one axon of core (x, y), or of all cores of the rectangle to (x1, y1)."""
    return np.uint32(FANOUT.pack(axon=axon, page=page, **box(x, y, x1, y1)))


def to_host() -> Destination:
    """A destination: the host, who learns the core, the neuron and the tick."""
    return np.uint32(FANOUT.pack(host=1))


def core(
    x: int,
    y: int,
    synapses: NDArray[np.bool_],
    threshold: NDArray[np.integer[Any]],
    plane_weights: Sequence[int] = (1,),
    *,
    bias: NDArray[np.integer[Any]] | None = None,
    fan_out: Sequence[Sequence[Destination]] | None = None,
    **registers: Any,
) -> CoreImage:
    """A core image of these arrays.

    Args:
        x, y: its place in the mesh.
        synapses: bool [neurons, planes, axons], or [neurons, axons] where there is one plane, or
            [pages, neurons, planes, axons] where there are several pages.
        threshold: whole numbers [neurons], in membrane units.
        plane_weights: what a synapse of each plane adds to the membrane.
        bias: whole numbers [neurons], added in every tick; None: 0.
        fan_out: for each neuron its destinations; None: none.
        registers: other fields of `CoreImage`, such as `leak`, `reset` or `trace`.

    Raises `ValueError` for arrays whose sizes do not fit together. What a chip cannot hold is found
    when a program is made.
    """
    rows = np.asarray(synapses, np.bool_)
    if rows.ndim == 2:
        rows = rows[:, np.newaxis]
    if rows.ndim == 3:
        rows = rows[np.newaxis]
    pages, neurons, planes, _ = rows.shape
    if planes != len(plane_weights):
        raise ValueError(f"{planes} planes of synapses, but {len(plane_weights)} plane weights")
    lists = [[]] * neurons if fan_out is None else [list(each) for each in fan_out]
    if len(lists) != neurons:
        raise ValueError(f"fan-out of {len(lists)} neurons, but synapses of {neurons}")
    counts = np.array([len(each) for each in lists], np.int64)
    return CoreImage(
        x=x,
        y=y,
        planes=planes,
        plane_weights=tuple(plane_weights),
        pages=pages,
        neurons=neurons,
        synapses=rows,
        threshold=_words("threshold", threshold, neurons),
        bias=_words("bias", np.zeros(neurons, np.int64) if bias is None else bias, neurons),
        fanout_start=np.cumsum(counts) - counts,
        fanout_count=counts,
        fanout=np.array([word for each in lists for word in each], np.uint32),
        **registers,
    )


def _words(name: str, values: NDArray[np.integer[Any]], neurons: int) -> NDArray[np.int32]:
    """Whole numbers of 32 bits, one a neuron."""
    array = np.asarray(values)
    limits = np.iinfo(np.int32)
    if array.shape != (neurons,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"{name} is {array.dtype} {array.shape}, must be whole numbers ({neurons},)"
        )
    if array.size and not limits.min <= array.min() <= array.max() <= limits.max:
        raise ValueError(f"{name} goes from {array.min()} to {array.max()}, must fit 32 bits")
    return array.astype(np.int32)
