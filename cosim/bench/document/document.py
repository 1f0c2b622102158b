"""The figures as a document: Markdown, from the record alone."""

from collections.abc import Iterable
from math import floor, log10
from typing import Any

from cosim.bench.document.targets import Verdict, verdicts
from cosim.bench.measure.timing import Spread
from sw.common.templates import environment, markdown

DIGITS = 3


def render(record: dict[str, Any], picture: str | None) -> str:
    """The document; `picture` is the name of the mesh's curves beside it, if there are any."""
    templates = environment("cosim.bench.document", ".")
    templates.filters |= {
        "number": number,
        "spread": spread_text,
        "loads": loads,
        "verdict": verdict_row,
    }
    parts = record["parts"]
    figures = {name: part["figures"] for name, part in parts.items()}
    return markdown(
        templates,
        "benchmarks.md.j2",
        parts=parts,
        figures=figures,
        verdicts=verdicts(figures),
        picture=picture,
    )


def number(value: float) -> str:
    """Three digits, without an exponent, thousands with commas."""
    if value == 0:
        return "0"
    decimals = max(0, DIGITS - 1 - floor(log10(abs(value))))
    return f"{round(value, DIGITS - 1 - floor(log10(abs(value)))):,.{decimals}f}"


def spread_text(spread: Spread) -> str:
    """A median, and in brackets least and largest where it is one of several."""
    if spread["repeats"] == 1:
        return number(spread["median"])
    return f"{number(spread['median'])} ({number(spread['least'])} to {number(spread['largest'])})"


def loads(values: Iterable[float]) -> str:
    """Load averages before and behind a part."""
    return " and ".join(f"{value:.1f}" for value in values)


def verdict_row(verdict: Verdict) -> tuple[str, str, str, str]:
    """A target, its limit, what was measured, and whether it was met."""
    target = verdict.target
    limit = f"{'at most' if target.at_most else 'at least'} {target.limit:,g} {target.unit}"
    value = "" if verdict.value is None else number(verdict.value)
    return target.name, limit, value, verdict_text(verdict)


def verdict_text(verdict: Verdict) -> str:
    """Met, or by how much not."""
    if verdict.met is None:
        return "not measured"
    if verdict.met:
        return "met"
    if verdict.factor is None:
        return "not met"
    much = "too much" if verdict.target.at_most else "too little"
    return f"not met: {number(verdict.factor)} times {much}"
