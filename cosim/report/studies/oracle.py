"""The tables of `nc64c oracle`: images made in software beside images made on the chip."""

from collections.abc import Sequence
from typing import Any

from cosim.report.document import templates
from cosim.report.studies import oracle_noise
from cosim.report.studies.oracle_noise import Entry, right, share
from sw.common.intervals import paired
from sw.common.templates import markdown

SOFTWARE = ("float network", "quantised network")  # who asked these knows nothing of the chip
HEAD = (
    "attack",
    "who was asked",
    "queries an image",
    "golden",
    "lost more than by the network",
    "RTL",
)


def as_markdown(found: dict[str, Any]) -> str:
    """A table for each chip."""
    entries = [entry for rows in found["chips"].values() for entry in rows]
    return markdown(
        templates(),
        "oracle.md.j2",
        found=found,
        head=HEAD,
        rows=rows,
        noise=oracle_noise.tables(found),
        head_of_noise=oracle_noise.head(found),
        spikes=sum(entry["compared_spikes"] for entry in entries),
        membranes=sum(entry["compared_membranes"] for entry in entries),
        mismatches=sum(entry["mismatches"] for entry in entries),
    )


def differences(found: dict[str, Any]) -> list[str]:
    """The first difference of RTL and golden model on each chip, in words."""
    return [
        f"{name}: {first}"
        for name, rows in found["chips"].items()
        if (first := next((row["first_mismatch"] for row in rows if row["first_mismatch"]), None))
    ]


def rows(found: dict[str, Any], chip: str) -> list[list[str]]:
    """The cells of a chip's table: per cent right, and what the chip gives beyond software."""
    entries: list[Entry] = found["chips"][chip]
    software = {each["attack"]: each for each in entries if each["asked"] == "quantised network"}
    return [_cells(found, each, software.get(each["attack"])) for each in entries]


def _cells(found: dict[str, Any], entry: Entry, software: Entry | None) -> list[str]:
    labels = found["labels"]
    gain = ""
    if software is not None and entry["asked"] not in SOFTWARE:
        gain = _gain(right(software["golden"], labels), right(entry["golden"], labels))
    queries = entry["queries"] / found["images"]
    return [
        entry["attack"] or "none",
        _asked(entry),
        f"{queries:,.0f}" if queries else "",
        share(right(entry["golden"], labels)),
        gain,
        share(right(entry["rtl"], labels)) if entry["rtl"] else "",
    ]


def _asked(entry: Entry) -> str:
    asked, draws = entry["asked"] or "", entry["draws"]
    return f"{asked} ({draws})" if draws else asked


def _gain(software: Sequence[bool], chip: Sequence[bool]) -> str:
    """How many points less are right, and the interval of the difference."""
    low, high = paired(software, chip)
    gained = (sum(software) - sum(chip)) / len(chip)
    texts = (f"{100 * value:.1f}".replace("-", "\u2212") for value in (gained, low, high))
    return "{} [{}, {}]".format(*texts)
