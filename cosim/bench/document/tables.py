"""The tables whose columns are the models that were measured."""

from dataclasses import dataclass
from typing import Any

from cosim.bench.document.words import NOTHING, number, spread_text
from cosim.bench.measure.timing import Spread
from sw.common.templates import row, rule

Figures = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Cells; each row has as many as the head. As a string it is Markdown."""

    head: list[str]
    rows: list[list[str]]

    def __str__(self) -> str:
        return "\n".join([row(self.head), rule(self.head), *map(row, self.rows)])


def activities(chip: list[Figures]) -> Table:
    """A tick of the whole chip, a row for each activity."""
    first = chip[0]
    faster = [f"{name}: times the RTL's speed" for name in first["rtl_over"]]
    head = ["axons that spike", *faster, *(f"{name}, ms" for name in first["ms_per_tick"])]
    rows = [
        [
            f"{100 * each['activity']:g} %",
            *map(number, each["rtl_over"].values()),
            *map(spread_text, each["ms_per_tick"].values()),
        ]
        for each in chip
    ]
    return Table(head, rows)


def race(figures: Figures) -> Table:
    """Our models and their rivals, a row each: how many times as fast as each rival.

    Of our models that is the ratio of turns, `times_faster`; of the rivals that of the medians.
    """
    ms, times_faster = figures["ms_per_tick"], figures.get("times_faster", {})
    rivals = list(next(iter(times_faster.values()), ()))
    rows = []
    for name, spread in ms.items():
        of_medians = {rival: ms[rival]["median"] / spread["median"] for rival in rivals}
        ratios = times_faster.get(name, of_medians)
        rows.append([name, *(number(ratios[rival]) for rival in rivals), spread_text(spread)])
    return Table(["model", *(f"times {rival}" for rival in rivals), "ms a tick"], rows)


def meshes(cores: list[Figures]) -> Table:
    """A tick by the number of cores, beside that of the mesh before."""
    head, rows = ["mesh"], []
    for name in cores[0]["ms_per_tick"]:
        head += [f"{name}: times the mesh before", "ms a tick"]
    before: dict[str, Spread] = {}
    for each in cores:
        cells = [each["mesh"]]
        for name, spread in each["ms_per_tick"].items():
            times = number(spread["median"] / before[name]["median"]) if before else NOTHING
            cells += [times, spread_text(spread)]
        rows.append(cells)
        before = each["ms_per_tick"]
    return Table(head, rows)
