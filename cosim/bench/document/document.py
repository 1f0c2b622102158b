"""The figures as a document: Markdown, from the record alone."""

from typing import Any

from cosim.bench.document import tables
from cosim.bench.document.targets import Verdict, verdicts
from cosim.bench.document.words import NOTHING, loads, number, spread_text
from sw.common.templates import environment, markdown


def render(record: dict[str, Any], picture: str | None) -> str:
    """The document; `picture` is the name of the mesh's curves beside it, if there are any."""
    templates = environment("cosim.bench.document", ".")
    templates.filters |= {
        "number": number,
        "spread": spread_text,
        "loads": loads,
        "verdict": verdict_row,
        "activities": tables.activities,
        "race": tables.race,
        "meshes": tables.meshes,
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


def verdict_row(verdict: Verdict) -> tuple[str, str, str, str]:
    """A target, its limit, what was measured, and whether it was met."""
    target = verdict.target
    limit = f"{'at most' if target.at_most else 'at least'} {target.limit:,g} {target.unit}"
    value = NOTHING if verdict.value is None else number(verdict.value)
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
