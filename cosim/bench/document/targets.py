"""What was aimed at, and whether it was reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cosim.bench import ticks
from cosim.bench.measure import golden
from cosim.bench.network import vgg5
from cosim.bench.rivals import ranc
from cosim.bench.rivals.ranc_simulator import OPTIMISED
from cosim.bench.simulators import rows

Figures = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """`measured` takes the figures of `part`; a KeyError says that it was left out."""

    name: str
    part: str
    unit: str
    limit: float
    at_most: bool
    measured: Callable[[Figures], float]


@dataclass(frozen=True)
class Verdict:
    """A target beside what was measured; `value` is None where nothing was."""

    target: Target
    value: float | None

    @property
    def is_ratio(self) -> bool:
        """Whether it is of two figures of one run, so that it holds on other machines too."""
        return self.target.unit == "times"

    @property
    def met(self) -> bool | None:
        """Whether it was reached; None: not measured."""
        if self.value is None:
            return None
        limit = self.target.limit
        return self.value <= limit if self.target.at_most else self.value >= limit

    @property
    def factor(self) -> float | None:
        """How many times too much or too little it is; 1 is just enough."""
        if self.value is None or not self.value:
            return None
        limit = self.target.limit
        return self.value / limit if self.target.at_most else limit / self.value


def at_most(
    name: str, part: str, limit: float, unit: str, measured: Callable[[Figures], float]
) -> Target:
    return Target(name, part, unit, limit, True, measured)


def at_least(
    name: str, part: str, limit: float, unit: str, measured: Callable[[Figures], float]
) -> Target:
    return Target(name, part, unit, limit, False, measured)


def verdicts(parts: dict[str, Figures]) -> list[Verdict]:
    """All targets; parts that were not measured, or left something out, have no value."""
    found = []
    for target in TARGETS:
        try:
            value = target.measured(parts[target.part])
        except KeyError:
            found.append(Verdict(target, None))
        else:
            found.append(Verdict(target, value))
    return found


def _median(figures: Figures, *path: str) -> float:
    for step in path:
        figures = figures[step]
    return float(figures["median"])


def _over_ranc(figures: Figures, axons: int, model: str) -> float:
    (size,) = (each for each in figures["sizes"] if each["axons"] == axons)
    return float(size["times_faster"][model][OPTIMISED])


TARGETS = (
    at_most(
        "a row in RTL through cocotb, over hand-written C++",
        "rows",
        9,
        "times",
        lambda f: float(f["full"]["cocotb_over_limit"]),
    ),
    at_least(
        "VGG5, the golden model's speed over the RTL's",
        "vgg5",
        1,
        "times",
        lambda f: float(f["times_one_rtl_process"][vgg5.GOLDEN]),
    ),
    at_least(
        "VGG5, batched golden over golden",
        "vgg5",
        4,
        "times",
        lambda f: float(f["batched_over_golden"]),
    ),
    at_most(
        "RTL through cocotb, all cores busy",
        "rows",
        36,
        "ns a row",
        lambda f: _median(f, "full", "ns_per_row", rows.COCOTB),
    ),
    at_most(
        "cocotb over the bare harness",
        "rows",
        1.1,
        "times",
        lambda f: float(f["full"]["cocotb_over_bare"]),
    ),
    at_most(
        "idle core-cycle", "rows", 16, "ns", lambda f: _median(f, "full", "ns_per_idle_core_cycle")
    ),
    at_least(
        "faster than Icarus Verilog",
        "rows",
        50,
        "times",
        lambda f: float(f["one_core"]["times_faster"][rows.ICARUS]),
    ),
    at_least(
        "faster than Amaranth's simulator",
        "rows",
        1000,
        "times",
        lambda f: float(f["one_core"]["times_faster"][rows.AMARANTH]),
    ),
    at_least(
        "RTL, faster than RANC's simulator, optimised, 1024 x 1024",
        "ranc",
        20,
        "times",
        lambda f: _over_ranc(f, 1024, ranc.RTL),
    ),
    at_least(
        "golden model, faster than RANC's simulator, optimised, 1024 x 1024",
        "ranc",
        20,
        "times",
        lambda f: _over_ranc(f, 1024, golden.ONE),
    ),
    at_least(
        "golden model, faster than RANC's simulator, optimised, 256 x 256",
        "ranc",
        3,
        "times",
        lambda f: _over_ranc(f, 256, golden.ONE),
    ),
    at_least(
        "VGG5 in RTL, 2 processes",
        "vgg5",
        12.5,
        "images/s",
        lambda f: _median(f, "images_per_s", vgg5.RTL_2),
    ),
    at_least(
        "VGG5 in RTL, 2 processes over one",
        "vgg5",
        1.9,
        "times",
        lambda f: float(f["two_processes_over_one"]),
    ),
    at_least(
        "VGG5, golden model",
        "vgg5",
        80,
        "images/s",
        lambda f: _median(f, "images_per_s", vgg5.GOLDEN),
    ),
    at_least(
        "VGG5, integer network as convolutions, 2 processes",
        "vgg5",
        200,
        "images/s",
        lambda f: _median(f, "images_per_s", vgg5.INTEGER_2),
    ),
    at_least(
        "a layer of the golden model, faster than PAIBox: one image",
        "ticks",
        20,
        "times",
        lambda f: float(f["layer"]["times_faster"][golden.ONE][ticks.PAIBOX]),
    ),
    at_least(
        "a layer of the golden model, faster than PAIBox: 32 images at once",
        "ticks",
        20,
        "times",
        lambda f: float(f["layer"]["times_faster"][golden.MANY][ticks.PAIBOX]),
    ),
    at_most("build, cold", "footprint", 30, "s", lambda f: float(f["build_s"]["cold"])),
    at_most("build, cached", "footprint", 2, "s", lambda f: float(f["build_s"]["cached"])),
    at_most(
        "memory of a simulator process, VGG5",
        "vgg5",
        2048,
        "MiB",
        lambda f: float(f["peak_mib"]["simulator"]),
    ),
    at_most(
        "memory of the process that feeds it, VGG5",
        "vgg5",
        2048,
        "MiB",
        lambda f: float(f["peak_mib"]["python"]),
    ),
)
