"""What can be left out of a case: steps, flits, cores, neurons, synapses, registers and so on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cosim.program.core_image import ALWAYS, CoreImage
from cosim.program.program import Program
from cosim.program.stimulus import Step
from cosim.verify.case.case import Case
from hw.spec import FLOOR_NONE, PAGE_COUNTS, ResetMode

PLAIN: tuple[dict[str, Any], ...] = (  # registers as after reset
    {"leak": None},
    {"reset": ResetMode.ZERO},
    {"noise_mask": 0, "seed": 1},
    {"floor": FLOOR_NONE},
    {"first_tick": ALWAYS[0], "last_tick": ALWAYS[1]},
    {"trace": False},
)


@dataclass(frozen=True)
class Parts:
    """`count` parts of a case; `make` gives the case with those that are kept, None if none is."""

    count: int
    make: Callable[[Sequence[int]], Case | None]


def steps(case: Case) -> Parts:
    return Parts(
        len(case.steps), lambda kept: replace(case, steps=tuple(case.steps[n] for n in kept))
    )


def cores(case: Case) -> Parts:
    images = case.program.cores
    return Parts(len(images), lambda kept: _with_cores(case, [images[n] for n in kept]))


def flits(case: Case) -> Parts:
    """Flits of all steps, counted through."""
    ends = np.cumsum([0, *(len(step.flits) for step in case.steps)])

    def make(kept: Sequence[int]) -> Case:
        mask = np.zeros(ends[-1], bool)
        mask[list(kept)] = True
        parts = [
            replace(step, flits=step.flits[mask[a:b]])
            for step, a, b in zip(case.steps, ends[:-1], ends[1:], strict=True)
        ]
        return replace(case, steps=tuple(parts))

    return Parts(int(ends[-1]), make)


def disturbances(case: Case) -> Parts:
    """Resets in a tick, and back-pressure."""
    parts: list[tuple[int, dict[str, Any]]] = []
    for number, step in enumerate(case.steps):
        parts += [(number, {"reset_after": None})] * (step.reset_after is not None)
        parts += [(number, {"back_pressure": None})] * (step.back_pressure is not None)

    def make(kept: Sequence[int]) -> Case:
        changed: list[Step] = list(case.steps)
        for n in set(range(len(parts))) - set(kept):
            number, fields = parts[n]
            changed[number] = replace(changed[number], **fields)
        return replace(case, steps=tuple(changed))

    return Parts(len(parts), make)


def neurons(case: Case) -> Parts:
    """Neurons of all cores; those behind one that goes move up."""

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        rows = np.array(kept, np.int64)
        starts, counts = core.fanout_start[rows], core.fanout_count[rows]
        words = [core.fanout[a : a + n] for a, n in zip(starts, counts, strict=True)]
        return replace(
            core,
            neurons=len(rows),
            synapses=core.synapses[:, rows],
            threshold=core.threshold[rows],
            bias=core.bias[rows],
            fanout_start=np.cumsum(counts) - counts,
            fanout_count=counts,
            fanout=np.concatenate([*words, np.zeros(0, np.uint32)]),
        )

    return _of_cores(case, lambda core: core.neurons, cut)


def destinations(case: Case) -> Parts:
    """Destinations of all neurons, of cores whose neurons do not share them."""

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        owner = np.repeat(np.arange(core.neurons), core.fanout_count)
        counts = np.bincount(owner[list(kept)], minlength=core.neurons).astype(np.int64)
        return replace(
            core,
            fanout=core.fanout[list(kept)],
            fanout_count=counts,
            fanout_start=np.cumsum(counts) - counts,
        )

    def count(core: CoreImage) -> int:
        own = np.array_equal(core.fanout_start, np.cumsum(core.fanout_count) - core.fanout_count)
        return int(core.fanout_count.sum()) if own else 0

    return _of_cores(case, count, cut)


def planes(case: Case) -> Parts:
    """Planes of all cores; one stays."""

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        which = [0, *(n + 1 for n in kept)]
        weights = tuple(core.plane_weights[n] for n in which)
        return replace(
            core, planes=len(which), plane_weights=weights, synapses=core.synapses[:, :, which]
        )

    return _of_cores(case, lambda core: core.planes - 1, cut)


def pages(case: Case) -> Parts:
    """Doublings of the number of pages."""

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        count = PAGE_COUNTS[len(kept)]
        return replace(core, pages=count, synapses=core.synapses[:count])

    return _of_cores(case, lambda core: PAGE_COUNTS.index(core.pages), cut)


def synapses(case: Case) -> Parts:
    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        places = np.flatnonzero(core.synapses)[list(kept)]
        fewer = np.zeros(core.synapses.size, np.bool_)
        fewer[places] = True
        return replace(core, synapses=fewer.reshape(core.synapses.shape))

    return _of_cores(case, lambda core: int(np.count_nonzero(core.synapses)), cut)


def registers(case: Case) -> Parts:
    """Registers that are not as after reset, and plane weights that are not 1."""

    def unlike(core: CoreImage) -> list[dict[str, Any]]:
        fields = [plain for plain in PLAIN if any(getattr(core, n) != v for n, v in plain.items())]
        return fields + [{"plane": n} for n, weight in enumerate(core.plane_weights) if weight != 1]

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        found, weights = unlike(core), list(core.plane_weights)
        for fields in (fields for n, fields in enumerate(found) if n not in kept):
            if "plane" in fields:
                weights[fields["plane"]] = 1
            else:
                core = replace(core, **fields)
        return replace(core, plane_weights=tuple(weights))

    return _of_cores(case, lambda core: len(unlike(core)), cut)


def values(case: Case) -> Parts:
    """Thresholds and biases that are not 0."""

    def cut(core: CoreImage, kept: Sequence[int]) -> CoreImage:
        both = np.concatenate([core.threshold, core.bias])
        fewer = np.zeros_like(both)
        places = np.flatnonzero(both)[list(kept)]
        fewer[places] = both[places]
        return replace(core, threshold=fewer[: core.neurons], bias=fewer[core.neurons :])

    def count(core: CoreImage) -> int:
        return int(np.count_nonzero(core.threshold) + np.count_nonzero(core.bias))

    return _of_cores(case, count, cut)


# In the order that makes a case small fastest: what is long to load goes first.
PASSES: tuple[Callable[[Case], Parts], ...] = (
    *(steps, cores, neurons, flits, disturbances, planes, pages, registers, destinations, synapses),
    values,
)


def _of_cores(
    case: Case,
    count: Callable[[CoreImage], int],
    cut: Callable[[CoreImage, Sequence[int]], CoreImage],
) -> Parts:
    """The parts of all cores, counted through from the first core's first."""
    images = case.program.cores
    ends = np.cumsum([0, *map(count, images)]).tolist()

    def make(kept: Sequence[int]) -> Case | None:
        array = np.array(kept, np.int64)
        cut_images = []
        for image, first, last in zip(images, ends[:-1], ends[1:], strict=True):
            mine = array[(array >= first) & (array < last)] - first
            cut_images.append(image if len(mine) == last - first else cut(image, mine.tolist()))
        return _with_cores(case, cut_images)

    return Parts(ends[-1], make)


def _with_cores(case: Case, images: Sequence[CoreImage]) -> Case | None:
    try:
        return replace(case, program=Program(case.shape, tuple(images)))
    except ValueError:
        return None
