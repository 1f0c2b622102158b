"""The page of `nc64c run`: a user's network on the chip, level by level, and its contract.

Takes the document of a run (`own.json`) and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cosim.record.record import REPORT_FILE
from cosim.report.document import number, templates
from cosim.report.page import triage_in
from sw.files.atomic import atomic_write

NAMES = {
    "file": "as its file says",
    "framework": "in its framework",
    "semantics": "the chip's semantics",
    "leak": "the chip's leak",
    "weights": "quantised weights",
    "thresholds": "thresholds, biases",
    "integer": "all in integers",
    "golden": "Golden",
    "rtl": "RTL",
}


class Verdict(NamedTuple):
    """The run in words; `style` is the class of its box."""

    title: str
    style: str
    headline: str
    detail: str


def write(folder: Path, run: dict[str, Any], out: Path | None = None) -> None:
    """Writes `report.html`; `out` may have a triage of the run's first mismatch."""
    atomic_write(folder / REPORT_FILE, render(run, out).encode())


def render(run: dict[str, Any], out: Path | None = None) -> str:
    """The page, as HTML, with the triage that is in folder `out`."""
    return (
        templates()
        .get_template("own.html")
        .render(
            run=run,
            verdict=_verdict(list(run["sets"].values())),
            names=NAMES,
            facts=dict(_facts(run)),
            triage=None if out is None else triage_in(out),
        )
    )


def _verdict(sets: list[dict[str, Any]]) -> Verdict:
    against = [one["golden_against_rtl"] for one in sets]
    spikes, membranes, wrong_spikes, wrong_membranes = (
        sum(one[name] for one in against)
        for name in ("spikes", "membranes", "mismatched_spikes", "mismatched_membranes")
    )
    mapping = sum(one["integer_against_golden"]["mismatches"] for one in sets)
    compared = f"{spikes:,} spikes, {membranes:,} membranes compared"
    detail = (
        f"The golden model differs from the integer network in {mapping:,} spikes and outputs: "
        "the mapping is wrong."
        if mapping
        else "The golden model in turn gives the spikes and outputs of the integer network."
    )
    if any(one["rtl"] is None for one in sets):
        style = "bad" if mapping else "empty"
        return Verdict("Without RTL", style, "The RTL did not run: golden model only", detail)
    if wrong_spikes + wrong_membranes:
        headline = (
            f"RTL differs from golden: {wrong_spikes:,} spikes and {wrong_membranes:,} membranes "
            f"mismatched; {compared}"
        )
        return Verdict("DIFFERENT", "bad", headline, detail)
    if not spikes:
        headline = "0 spikes compared: nothing was tested. The network is silent on the chip"
        return Verdict("NOTHING TESTED", "empty", headline, detail)
    title, style = ("DIFFERENT", "bad") if mapping else ("Equal", "good")
    return Verdict(title, style, f"RTL equals golden: {compared}, 0 mismatches", detail)


def _facts(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in run["facts"].items():
        yield name, value
    for name, one in run["sets"].items():
        if one["rtl"] is not None:
            totals = one["rtl"]
            yield (
                f"RTL, {name}",
                f"{number(totals['cycles'])} cycles, {number(totals['ticks'])} ticks, "
                f"{totals['wall_s']:.1f} s",
            )
