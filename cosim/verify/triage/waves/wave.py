"""A tile's waves, read from a file: signals by their names in hw/, sampled cycle by cycle."""

import importlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.program.packing import unpacked
from hw.spec import AXON, FLIT, MAX_PLANES, Kind
from sw.common.errors import InputError

CORE, ROUTER = ".soma.fire_neuron", ".choice_west"  # signals by which core and router are found
CYCLE = 2  # ns; a clock edge comes at odd times, what follows from it has settled at the even ones
SIGNED = re.compile(r"soma\.(total|settled|current|membranes\[\d+\])|dendrites\.current")
UNFIT = str.maketrans({"\\": "", " ": ""})
Numbers = NDArray[np.int64]


def package(name: str) -> Any:
    """pywellen or pyvcd's `vcd`. Raises `InputError` where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"waves need {name}: install nc64c[waves]") from error


@dataclass(frozen=True)
class Visit:
    """A neuron on its way through the soma; `time` is the cycle in which it fires.

    `values` are the signals that it met, by their names.
    """

    neuron: int
    time: int
    page: int
    last_pass: bool
    values: dict[str, int]


class Wave:
    """The waves of core and router of one tile.

    `first` is the number of ticks that the run had begun when the file begins. Raises `InputError`
    if the file cannot be read, or has no core of ours in it.
    """

    def __init__(self, path: Path, first: int = 0) -> None:
        if not path.exists():
            raise InputError(f"no waves were written: there is no {path.name}")
        wellen = package("pywellen")
        try:
            self._file = wellen.Waveform(str(path))
        except Exception as error:  # whatever is wrong with the file
            raise InputError(f"cannot read the waves in {path.name}: {error}") from error
        self.first = first
        found = {
            variable.full_name.translate(UNFIT): variable for variable in self._file.all_vars()
        }
        self._variables = {name.replace(".[", "["): each for name, each in found.items()}
        roots = [
            name.removesuffix(end)
            for end in (CORE, ROUTER)
            for name in self._variables
            if name.endswith(end)
        ]
        if not any(f"{root}{CORE}" in self._variables for root in roots):
            raise InputError(
                f"{path.name} has not the signals of hw/ in it, but those of another core"
            )
        self.roots = roots
        self.read = cache(self._read)
        if self.read("go")[0][0] == 0:  # from power-up on, whatever was asked for
            self.first = 0

    def full(self, name: str) -> str | None:
        """A signal's whole name, from one in the core, or in the router."""
        for root in self.roots:
            if f"{root}.{name}" in self._variables:
                return f"{root}.{name}"
        return None

    def width(self, name: str) -> int:
        return int(self._variables[self.full(name)].bitwidth or 1)

    def changes(self, name: str) -> list[tuple[int, int]]:
        """The same as whole numbers of any size; none where there is no such signal."""
        full = self.full(name)
        if full is None:
            return []
        variable = self._variables[full]
        half = 1 << (int(variable.bitwidth or 1) - 1)
        pairs = [(int(time), value if isinstance(value, int) else 0) for time, value in variable.tv]
        if SIGNED.fullmatch(name):
            return [(time, value - 2 * half if value & half else value) for time, value in pairs]
        return pairs

    def _read(self, name: str) -> tuple[Numbers, Numbers]:
        """When a signal changes and what it is then; X is 0. Nothing where there is none."""
        if self.full(name) is None:
            return np.zeros(1, np.int64), np.zeros(1, np.int64)
        pairs = self.changes(name)
        times = np.array([time for time, _ in pairs], np.int64)
        values = [value if value < 1 << 62 else 0 for _, value in pairs]
        return times, np.array(values, np.int64)

    def at(self, name: str, times: Numbers) -> Numbers:
        """A signal at these times."""
        changes, values = self.read(name)
        return values[np.maximum(np.searchsorted(changes, times, side="right") - 1, 0)]

    @property
    def end(self) -> int:
        return int(
            max(self.read(name)[0][-1] for name in ("go", "soma.fetch", "counters.busy_cycles"))
        )

    def begins(self) -> dict[int, int]:
        """When each tick of the run begins: at the clock edge that sees its `go`."""
        times, values = self.read("go")
        given = times[values == 1]
        return {self.first + n: int(time) + CYCLE for n, time in enumerate(given)}

    def cycles(self, tick: int) -> Numbers:
        """The times at which the cycles of a tick are sampled."""
        begins = self.begins()
        start = begins[tick]
        end = begins.get(tick + 1, self.end + 4 * CYCLE)
        return np.arange(start + start % 2, end + CYCLE, CYCLE)

    def last(self, tick: int) -> int:
        """The clock edge before the one at which the next tick begins."""
        return self.begins().get(tick + 1, self.end + 5 * CYCLE) - CYCLE

    def visits(self, tick: int) -> list[Visit]:
        """All neurons that pass in a tick, page by page."""
        times = self.cycles(tick)
        fetched = times[self.at("soma.fetch", times) == 1]
        where = self.at("soma.fetch_neuron", fetched)
        found = {
            **{
                f"dendrites.count_{p}": self.at(f"dendrites.count_{p}", fetched)
                for p in range(MAX_PLANES)
            },
            "soma.current": self.at("dendrites.current", fetched + CYCLE),
            **{
                name: self.at(name, fetched + 2 * CYCLE)
                for name in (
                    "soma.total",
                    "soma.lfsr",
                    "soma.hit",
                    "soma.settled",
                    "soma.fired_valid",
                )
            },
        }
        page = self.at("sequencer.load_page", fetched)
        last = self.at("sequencer.last_pass", fetched + 2 * CYCLE)
        visits = []
        for n, neuron in enumerate(where.tolist()):
            fire = int(fetched[n]) + 2 * CYCLE
            values = {name: int(column[n]) for name, column in found.items()}
            membrane = f"soma.membranes[{neuron}]"
            if self.full(membrane) is not None:  # Verilator records no memories
                values["soma.membranes"] = int(self.at(membrane, np.array([fire + CYCLE]))[0])
            visits.append(Visit(neuron, fire, int(page[n]), bool(last[n]), values))
        return visits

    def pages(self, tick: int) -> set[int]:
        """Those that a tick loads."""
        times = self.cycles(tick)
        return set(
            self.at("sequencer.load_page", times[self.at("axons.load", times) == 1]).tolist()
        )

    def consumed(self, tick: int, pages: int, axons: int) -> NDArray[np.bool_]:
        """The axons that a tick loads, bool [pages, axons]."""
        times = self.cycles(tick)
        loads = times[self.at("axons.load", times) == 1]
        found = np.zeros((pages, axons), np.bool_)
        page, word = self.at("sequencer.load_page", loads), self.at("sequencer.load_word", loads)
        bits = [self._word("axons.word", int(time) + CYCLE) for time in loads]
        for p, w, value in zip(page.tolist(), word.tolist(), bits, strict=True):
            if p < pages and 64 * w < axons:
                found[p, 64 * w : 64 * w + 64] = [value >> bit & 1 for bit in range(64)]
        return found

    def spikes(self, port: str, times: Numbers) -> NDArray[np.uint64]:
        """The SPIKE flits that pass the core's port (`inbound`, `outbound`) at these times."""
        passes = self.at(f"{port}__valid", times) & self.at(f"{port}__ready", times)
        pairs = self.changes(f"{port}__payload") or [(0, 0)]  # `read` keeps not all of its bits
        changes = np.array([time for time, _ in pairs], np.int64)
        values = np.array([value for _, value in pairs], np.uint64)
        which = np.searchsorted(changes, times[passes == 1], side="right") - 1
        flits = values[np.maximum(which, 0)]
        spikes: NDArray[np.uint64] = flits[FLIT.get(flits, "kind") == Kind.SPIKE]
        return spikes

    def arrived(self, tick: int, pages: int, axons: int) -> NDArray[np.bool_] | None:
        """The axons whose spikes the core's router hands over for a tick, bool [pages, axons].

        None: the tick before it is not in the file.
        """
        begins = self.begins()
        if tick - 1 not in begins:
            return None
        times = self.cycles(tick - 1)
        spikes, _ = unpacked(self.spikes("inbound", times[times < begins[tick]]))
        page, axon = (AXON.get(FLIT.get(spikes, "data"), name) for name in ("page", "axon"))
        found = np.zeros((pages, axons), np.bool_)
        there = (page < pages) & (axon < axons)  # a broken chip may send anything
        found[page[there].astype(np.int64), axon[there].astype(np.int64)] = True
        return found

    def _word(self, name: str, time: int) -> int:
        """64 bits, which are more than `read` keeps."""
        full = self.full(name)
        value = self._variables[full].signal.value_at(time) if full else 0
        return value if isinstance(value, int) else 0
