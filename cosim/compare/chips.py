"""Exact equality of two chips' responses, and where they first part.

Routers reorder, so the flits of a step are compared as a multiset: nothing else is forgiven.
Knows formats only (`hw.spec`), no arithmetic of either chip.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cosim.program.stimulus import Step
from hw.spec import DATA_BITS, FLIT, MEMBRANE_BITS, Kind, Region

Flits = NDArray[np.uint64]
What = Literal["spike", "membrane", "response"]


@dataclass(frozen=True)
class Mismatch:
    """One thing that the two chips disagree about.

    Attributes:
        image: position of the image among those compared.
        tick: ticks before it since RESTART, so the number of the tick that it happened in; what is
            read after the last tick has that tick's number plus one.
        x: mesh column of the core.
        y: mesh row of the core.
        neuron: in its core (of another response: the offset).
        what: "spike", "membrane", or "response" for any other flit: one that should not exist.
        expected: of a membrane its value; of the others how many such flits came. None: no answer.
        got: likewise, of the other chip.
        flit: of spikes and other responses, the flit's data: of a spike, the tick stamped on it.
        place: where it is, in words, when there is more to say: of a streamed layer, its tile.
        stimulus: of a streamed layer, its name, round and pass.
    """

    image: int
    tick: int
    x: int
    y: int
    neuron: int
    what: What
    expected: int | None
    got: int | None
    flit: int | None = None
    place: str = ""
    stimulus: tuple[str, int, int] | None = None

    @property
    def order(self) -> tuple[int, int, int, int, int]:
        """Sorts by time and then by place. The earliest is nearest to the cause."""
        return (self.tick, self.y, self.x, self.neuron, self.image)

    def __str__(self) -> str:
        place = f"{self.place}, " if self.place else ""
        place += f"image {self.image}, tick {self.tick}, core ({self.x}, {self.y})"
        place += f", neuron {self.neuron}"
        if self.what == "membrane":
            expected, got = (
                "no value" if value is None else str(value) for value in (self.expected, self.got)
            )
            return f"{place}: membrane, expected {expected}, got {got}"
        noun = "spike" if self.what == "spike" else "response of another kind"
        stamp = "" if self.what == "spike" and self.flit == self.tick else f" with data {self.flit}"
        return (
            f"{place}: {noun}{stamp}, expected {self.expected or 'none'}, got {self.got or 'none'}"
        )


@dataclass
class Comparison:
    """What was compared and what differed; grows by `add`.

    A spike that is missing counts as one mismatch, and so does one too many: one that came from
    the wrong neuron, or in the wrong tick, is both. A response of no known kind counts as a spike.
    """

    spikes: int = 0
    membranes: int = 0
    mismatched_spikes: int = 0
    mismatched_membranes: int = 0
    first: Mismatch | None = None
    images: int = 0

    @property
    def equal(self) -> bool:
        """Nothing differed, and there was something that could have."""
        return self.membranes > 0 and not self.mismatched_spikes + self.mismatched_membranes

    def add(self, other: "Comparison") -> None:
        self.spikes += other.spikes
        self.membranes += other.membranes
        self.images += other.images
        self.mismatched_spikes += other.mismatched_spikes
        self.mismatched_membranes += other.mismatched_membranes
        found = [first for first in (self.first, other.first) if first is not None]
        self.first = min(found, key=lambda mismatch: mismatch.order, default=None)


def compare_images(
    steps: Sequence[Sequence[Step]],
    golden: Sequence[Sequence[Flits]],
    rtl: Sequence[Sequence[Flits]],
) -> Comparison:
    """Compares all images' responses; arguments are [image][step], responses uint64 [flits].

    Raises `ValueError` if a chip did not answer every step of every image.
    """
    total = Comparison()
    for image, (stimulus, expected, got) in enumerate(zip(steps, golden, rtl, strict=True)):
        total.add(compare_image(stimulus, expected, got, image))
    return total


def compare_image(
    steps: Sequence[Step], golden: Sequence[Flits], rtl: Sequence[Flits], image: int = 0
) -> Comparison:
    """Compares one image's responses, step by step.

    Raises `ValueError` if a chip did not answer every step.
    """
    result = Comparison(images=1)
    tick = 0
    for step, expected, got in zip(steps, golden, rtl, strict=True):
        region = FLIT.get(expected, "region")
        result.spikes += int(np.count_nonzero(region == int(Region.SPIKE)))
        result.membranes += int(np.count_nonzero(region == int(Region.MEMBRANE)))
        if not np.array_equal(np.sort(expected), np.sort(got)):
            _count(result, sorted(_differences(image, tick, expected, got), key=_order))
        tick += step.go
    return result


def _order(mismatch: Mismatch) -> tuple[int, int, int, int, int]:
    return mismatch.order


def _count(result: Comparison, found: list[Mismatch]) -> None:
    """Enters a step's mismatches, in order; steps come in the order of time."""
    for mismatch in found:
        if mismatch.what == "membrane":
            result.mismatched_membranes += 1
        else:
            result.mismatched_spikes += abs((mismatch.got or 0) - (mismatch.expected or 0))
    result.first = result.first or found[0]


def _differences(image: int, tick: int, golden: Flits, rtl: Flits) -> Iterator[Mismatch]:
    """Mismatches of one step, whose flits are not the same."""
    expected, got = Counter(golden.tolist()), Counter(rtl.tolist())
    missing, surplus = expected - got, got - expected
    membranes: dict[tuple[int, int, int], tuple[list[int], list[int]]] = {}
    for flit in sorted(missing.keys() | surplus.keys()):
        x, y, neuron = (FLIT.get(flit, name) for name in ("x0", "y0", "offset"))
        what = _what(flit)
        if what == "membrane":
            values = membranes.setdefault((x, y, neuron), ([], []))
            values[0].extend([_signed(flit)] * missing[flit])
            values[1].extend([_signed(flit)] * surplus[flit])
        else:
            counts = (expected[flit], got[flit])
            yield Mismatch(image, tick, x, y, neuron, what, *counts, FLIT.get(flit, "data"))
    for (x, y, neuron), (wanted, came) in membranes.items():
        for number in range(max(len(wanted), len(came))):
            value = wanted[number] if number < len(wanted) else None
            answer = came[number] if number < len(came) else None
            yield Mismatch(image, tick, x, y, neuron, "membrane", value, answer)


def _what(flit: int) -> What:
    if FLIT.get(flit, "kind") == Kind.HOST:
        if FLIT.get(flit, "region") == Region.SPIKE:
            return "spike"
        if FLIT.get(flit, "region") == Region.MEMBRANE:
            return "membrane"
    return "response"


def _signed(flit: int) -> int:
    """A membrane's value."""
    data: int = FLIT.get(flit, "data")
    return data - (1 << DATA_BITS) if data >> (MEMBRANE_BITS - 1) else data
