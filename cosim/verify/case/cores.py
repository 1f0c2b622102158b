"""A core image as lines of a case file, and back.

Registers that are as after reset are left out; neurons in a row that are alike share their lines.
"""

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from cosim.program.core_image import CoreImage
from cosim.verify.case.words import Line, destination_words, ranges
from hw.spec import (
    FANOUT_BITS,
    FANOUT_ENTRIES,
    LEAK,
    MAX_PLANES,
    PAGE_COUNTS,
    REGISTERS,
    ChipShape,
    Register,
    ResetMode,
)

# Registers that are plain numbers: name in the file, field of `CoreImage`, register.
PLAIN = (
    ("noise-mask", "noise_mask", Register.NOISE_MASK),
    ("seed", "seed", Register.SEED),
    ("floor", "floor", Register.FLOOR),
    ("first-tick", "first_tick", Register.FIRST_TICK),
    ("last-tick", "last_tick", Register.LAST_TICK),
)
MOST_RANGE = (1 << FANOUT_BITS) - 1


# ---------------------------------------------------------------- writing
def core_lines(core: CoreImage) -> Iterator[str]:
    """A core, from its place to its last neuron."""
    yield f"core {core.x},{core.y}"
    for line in (*_registers(core), *_table(core)):
        yield f"  {line}"
    each = [(neuron, "\n".join(_neuron(core, neuron))) for neuron in range(core.neurons)]
    for body, alike in groupby(each, key=lambda pair: pair[1]):
        head, *rest = body.split("\n")
        yield f"  neuron {ranges(neuron for neuron, _ in alike)} {head}"
        yield from (f"    {line}" for line in rest)


def _registers(core: CoreImage) -> Iterator[str]:
    yield f"plane-weights {' '.join(map(str, core.plane_weights))}"
    if core.pages != 1:
        yield f"pages {core.pages}"
    if core.leak is not None:
        yield f"leak {core.leak}"
    if core.reset is not ResetMode.ZERO:
        yield f"reset {core.reset.name.lower()}"
    for name, field, register in PLAIN:
        value = getattr(core, field)
        if value != REGISTERS[register].reset:
            yield f"{name} {value}"
    if core.trace:
        yield "trace"


def _ordered(core: CoreImage) -> bool:
    """Whether each neuron's destinations follow those of the one before, and none is left over."""
    starts = np.cumsum(core.fanout_count) - core.fanout_count
    whole = int(core.fanout_count.sum()) == len(core.fanout)
    return whole and np.array_equal(core.fanout_start, starts)


def _table(core: CoreImage) -> Iterator[str]:
    """The fan-out table, of a core whose neurons do not simply follow each other in it."""
    if not _ordered(core):
        yield from (f"entry {n} {destination_words(int(w))}" for n, w in enumerate(core.fanout))


def _neuron(core: CoreImage, neuron: int) -> Iterator[str]:
    """What a neuron has: first its threshold and bias, then lines of its own."""
    yield f"threshold {core.threshold[neuron]} bias {core.bias[neuron]}"
    for page in range(core.pages):
        for plane in range(core.planes):
            axons = np.flatnonzero(core.synapses[page, neuron, plane])
            if len(axons):
                where = f"page {page} " if page else ""
                where += f"plane {plane} " if plane else ""
                yield f"synapses {where}axons {ranges(axons)}"
    start, count = int(core.fanout_start[neuron]), int(core.fanout_count[neuron])
    if not _ordered(core):
        yield f"entries {start} count {count}"
        return
    yield from (f"to {destination_words(int(w))}" for w in core.fanout[start : start + count])


# ---------------------------------------------------------------- reading
class CoreReader:
    """A core that grows line by line; `image` is what it has come to."""

    def __init__(self, shape: ChipShape, line: Line) -> None:
        box = line.box()
        if (box["x0"], box["y0"]) != (box["x1"], box["y1"]):
            line.fail("a core has one place")
        self.x, self.y = box["x0"], box["y0"]
        self._shape = shape
        self._weights: tuple[int, ...] = ()
        self._pages = 1
        self._fields: dict[str, object] = {}
        self._seen: set[str] = set()
        self._table: list[int] = []
        self._neurons = 0  # so far
        self._latest = range(0)  # the neurons whose lines come now
        self._threshold: list[int] = []
        self._bias: list[int] = []
        self._lists: list[list[int]] = []  # destinations, where there is no table
        self._destinations = 0  # in all lists
        self._entries: list[tuple[int, int]] = []
        self._synapses = np.zeros((0, 0, 0, 0), np.bool_)
        self._first = line

    def read(self, line: Line) -> None:
        """One line more; raises `InputError`."""
        kind = line.word("what it is")
        readers: dict[str, Callable[[Line], None]] = {
            "neuron": self._neuron,
            "synapses": self._synapse_row,
            "to": self._to,
            "entries": self._range,
            "entry": self._entry,
        }
        if kind in readers:
            readers[kind](line)
        else:
            self._register(kind, line)
        line.end()

    def _register(self, kind: str, line: Line) -> None:
        if self._neurons:
            line.fail(f"`{kind}` is no line of a neuron; registers stand before the neurons")
        if kind in self._seen:
            line.fail(f"`{kind}` is there twice")
        self._seen.add(kind)
        plain = {name: (field, REGISTERS[which]) for name, field, which in PLAIN}
        if kind == "plane-weights":
            form = REGISTERS[Register.PLANE_WEIGHT]
            weights: list[int] = []
            while line.next and len(weights) < MAX_PLANES:
                weights.append(line.number("a plane weight", form.least, form.most))
            self._weights = tuple(weights)
        elif kind == "pages":
            self._pages = line.number("pages", 1, max(PAGE_COUNTS))
        elif kind == "leak":
            self._fields["leak"] = line.number("leak", 0, LEAK.fields["shift"].mask)
        elif kind == "reset":
            modes = {mode.name.lower(): mode for mode in ResetMode}
            word = line.word("a reset mode")
            if word not in modes:
                line.fail(f"reset is `{word}`, must be one of {', '.join(modes)}")
            self._fields["reset"] = modes[word]
        elif kind == "trace":
            self._fields["trace"] = True
        elif kind in plain:
            field, form = plain[kind]
            self._fields[field] = line.number(kind, form.least, form.most)
        else:
            line.fail(f"`{kind}` is no register and no part of a core")

    def _neuron(self, line: Line) -> None:
        if not self._neurons:
            self._begin_neurons(line)
        first, last = line.range("neuron", self._synapses.shape[1])
        if first != self._neurons:
            line.fail(f"neuron {first} stands where neuron {self._neurons} must stand")
        self._latest = range(first, last + 1)
        self._neurons = last + 1
        least, most = -(1 << 31), (1 << 31) - 1
        line.expect("threshold")
        threshold = line.number("threshold", least, most)
        line.expect("bias")
        bias = line.number("bias", least, most)
        for _ in self._latest:
            self._threshold.append(threshold)
            self._bias.append(bias)
            self._lists.append([])
            self._entries.append((0, 0))

    def _begin_neurons(self, line: Line) -> None:
        """Room for as many neurons as the core's rows allow."""
        if not self._weights:
            line.fail("a core's `plane-weights` stand before its neurons")
        if self._pages not in PAGE_COUNTS:
            line.fail(f"pages = {self._pages}, must be one of {PAGE_COUNTS}")
        most = self._shape.dendrites // (self._pages * len(self._weights))
        if not most:
            line.fail("there are more planes x pages than the core has dendrites")
        self._synapses = np.zeros(
            (self._pages, most, len(self._weights), self._shape.axons), np.bool_
        )

    def _synapse_row(self, line: Line) -> None:
        self._within_neuron(line)
        page = line.number("page", 0, self._pages - 1) if line.skip("page") else 0
        plane = line.number("plane", 0, len(self._weights) - 1) if line.skip("plane") else 0
        line.expect("axons")
        axons = line.numbers("axon", self._shape.axons)
        rows = self._synapses[page, self._latest.start : self._latest.stop, plane]
        if rows.any():
            line.fail("these synapses are there twice")
        rows[:, axons] = True

    def _to(self, line: Line) -> None:
        self._within_neuron(line)
        word = line.destination()
        self._destinations += len(self._latest)
        if self._destinations > FANOUT_ENTRIES:
            line.fail(f"a core has at most {FANOUT_ENTRIES} destinations")
        for neuron in self._latest:
            self._lists[neuron].append(word)

    def _entry(self, line: Line) -> None:
        if self._neurons:
            line.fail("a core's entries stand before its neurons")
        number = line.number("entry", 0, FANOUT_ENTRIES - 1)
        if number != len(self._table):
            line.fail(f"entry {number} stands where entry {len(self._table)} must stand")
        self._table.append(line.destination())

    def _range(self, line: Line) -> None:
        self._within_neuron(line)
        start = line.number("entry", 0, MOST_RANGE)
        line.expect("count")
        count = line.number("count", 0, MOST_RANGE)
        for neuron in self._latest:
            self._entries[neuron] = start, count
        self._seen.add("entries")

    def _within_neuron(self, line: Line) -> None:
        if not self._neurons:
            line.fail("this stands in a neuron, and no neuron has begun")

    def image(self) -> CoreImage:
        """The core image. Raises `InputError` for what cannot be one."""
        if not self._weights:
            self._first.fail("this core has no `plane-weights`")
        if self._pages not in PAGE_COUNTS:
            self._first.fail(f"pages = {self._pages}, must be one of {PAGE_COUNTS}")
        if not self._table and "entries" not in self._seen:
            self._table = [word for words in self._lists for word in words]
            ends = np.cumsum([len(words) for words in self._lists], dtype=np.int64).tolist()
            counts = [len(words) for words in self._lists]
            self._entries = [(end - n, n) for end, n in zip(ends, counts, strict=True)]
        elif any(self._lists):
            self._first.fail("this core has both `to` and `entries`: one of them is enough")
        size = (self._pages, self._neurons, len(self._weights), self._shape.axons)
        ranges_ = np.array(self._entries, np.int64).reshape(-1, 2)
        return CoreImage(
            x=self.x,
            y=self.y,
            planes=len(self._weights),
            plane_weights=self._weights,
            pages=self._pages,
            neurons=self._neurons,
            synapses=self._synapses[:, : self._neurons].copy().reshape(size),
            threshold=np.array(self._threshold, np.int32),
            bias=np.array(self._bias, np.int32),
            fanout_start=ranges_[:, 0].copy(),
            fanout_count=ranges_[:, 1].copy(),
            fanout=np.array(self._table, np.uint32),
            **self._fields,  # type: ignore[arg-type]
        )
