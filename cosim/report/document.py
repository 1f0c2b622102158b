"""Documents: tables in Markdown, and a document's files of one name, all or none."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cosim.record.record import RunRecord, to_json
from cosim.report.figures import Points, hardware
from sw.files import output
from sw.files.atomic import atomic_write


def write(
    out: Path, name: str, document: dict[str, Any], text: str, pictures: dict[str, bytes]
) -> None:
    """Writes `name`.json, .md and a picture for each ending. Raises `InputError`."""
    with output.staged(out) as stage:
        files = {"json": to_json(document), "md": text.encode(), **pictures}
        for ending, content in files.items():
            atomic_write(stage / f"{name}.{ending}", content)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield _line(head)
    yield "|" + " --- |" * len(head)
    yield from map(_line, rows)


def interval(figure: Points) -> str:
    """A figure and its interval."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def hardware_section(run: RunRecord) -> Iterator[str]:
    """What the chip takes for an image, by layer, and how fast it is at its clock."""
    chip = hardware(run)
    rows = [
        [
            name,
            f"{layer.synaptic_ops:,.0f}",
            f"{layer.energy_nj:,.1f}",
            f"{layer.flits:,.0f}",
            "-" if layer.cycles is None else f"{layer.cycles:,.0f}",
        ]
        for name, layer in chip.layers.items()
    ]
    everything = [
        f"{chip.synaptic_ops_per_image:,.0f}",
        f"{chip.energy_nj_per_image:,.1f}",
        f"{chip.flits_per_image:,.0f}",
        f"{chip.cycles_per_image:,.0f}",
    ]
    yield from ("## What the chip takes for an image", "")
    head = ["layer", "synaptic operations", "energy, nJ", "flits", "cycles"]
    yield from table(head, [*rows, ["all", *everything]])
    yield ""
    yield (
        f"By the RTL's counters, mean over {run.rtl_images:,} images x {len(run.sets)} sets; "
        "loading, input and read-back are in it. Energy: "
        f"{chip.pj_per_synaptic_op} pJ per synaptic operation and nothing else. At "
        f"{chip.clock_mhz:g} MHz (`--clock-mhz`; the chip's own is unpublished): "
        f"{chip.ticks_per_s:,.0f} ticks/s, {chip.images_per_s:,.1f} images/s."
    )
    if run.chip.mapping == "resident":
        yield (
            "All layers work at the same time, so cycles cannot be told apart; flits are those "
            "that the routers of a layer's cores passed on, other layers' among them."
        )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
