"""`nc64c map`: chip use per layer, and of a streamed network the schedule."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from cosim.cli.guard import guarded
from cosim.cli.options import AxonsOption, CheckpointOption, DendritesOption, MeshOption, chip_shape
from cosim.record.chip_facts import RESOURCES, Chip, Resource, capacity, totals
from hw.spec import AXONS, DENDRITES
from sw.files.paths import DIGITS_CHECKPOINT

EXAMPLE = (
    "Examples: `nc64c map --mesh 4x4` and `nc64c map --network out/net/network.safetensors`, of an "
    "imported network"
)
WIDTH = 100  # columns where there is no terminal that has a width


def map_(
    checkpoint: CheckpointOption = DIGITS_CHECKPOINT,
    network: Annotated[
        Path | None,
        typer.Option(help="Network file of nc64c import, instead.", show_default="none"),
    ] = None,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
) -> None:
    """Map a network onto the chip: what each layer takes of it, and the schedule if streamed."""
    with guarded():
        shape = chip_shape(mesh, axons, dendrites)
        from cosim.mapping.choose import choose_mapping
        from cosim.mapping.usage import chip_record
        from sw.integer import network_file
        from sw.integer.fold import fold
        from sw.train import checkpoint as checkpoints

        if network is None:
            mapped = fold(checkpoints.load(checkpoint).quantised_network)
        else:
            mapped = network_file.load(network)
        chip = chip_record(choose_mapping(mapped, shape))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    for table in tables(chip):
        console.print(table)


def tables(chip: Chip) -> Iterator[Table]:
    """One or two tables."""
    size = f"{chip.columns} x {chip.rows} cores"
    size += f" of {chip.axons} axons x {chip.dendrites} dendrites"
    if not chip.schedule:
        yield _use(chip, f"resident on {size}")
        return
    yield _use(chip, f"streamed through {size}: a layer at a time")
    yield _schedule(chip)


def _use(chip: Chip, title: str) -> Table:
    """Resources per layer; the sum only where all layers are there at once."""
    table = Table(title=title)
    table.add_column("layer")
    for name in RESOURCES:
        table.add_column(name, justify="right")
    rows = [[layer.layer, *_numbers(layer.counts)] for layer in chip.layers]
    for number, row in enumerate(rows, 1):
        table.add_row(*row, end_section=number == len(rows))
    used, there = totals(chip), capacity(chip)
    if not chip.schedule:
        table.add_row("total", *_numbers(used))
    table.add_row("chip", *_numbers(there))
    if not chip.schedule:
        table.add_row("used", *(f"{100 * used[name] / there[name]:.1f} %" for name in RESOURCES))
    return table


def _schedule(chip: Chip) -> Table:
    table = Table(
        title="schedule, per image",
        caption="cycles: as expected, input included, a flit for each 32 axons; "
        "full: dendrites in use of the average and of the fullest core",
        box=SIMPLE,
        pad_edge=False,
        collapse_padding=True,
    )
    for name in (
        "layer",
        "tile",
        "jobs",
        "cores a job",
        "at once",
        "rounds",
        "passes",
        "dendrite rows",
        "cycles",
        "full",
    ):
        justify: Literal["left", "right"] = "left" if name == "layer" else "right"
        table.add_column(name, justify=justify, overflow="fold")
    for layer in chip.schedule:
        height, width = layer.tile
        use = 100 * layer.dendrites / chip.dendrites
        fullest = 100 * layer.fullest_core / chip.dendrites
        table.add_row(
            layer.layer,
            f"{height}x{width}",
            f"{layer.tiles:,}",
            str(layer.cores_per_tile),
            str(layer.slots),
            str(layer.rounds),
            f"{layer.passes:,.4g}",
            f"{layer.rows:,}",
            f"{layer.cycles:,.0f}",
            f"{use:.0f}, {fullest:.0f} %",
            end_section=layer is chip.schedule[-1],
        )
    rows = sum(layer.rows for layer in chip.schedule)
    cycles = sum(layer.cycles for layer in chip.schedule)
    jobs = sum(layer.tiles for layer in chip.schedule)
    passes = sum(layer.passes for layer in chip.schedule)
    table.add_row(
        "image", "", f"{jobs:,}", "", "", "", f"{passes:,.4g}", f"{rows:,}", f"{cycles:,.0f}", ""
    )
    return table


def _numbers(counts: dict[Resource, int]) -> list[str]:
    return [f"{counts[name]:,}" for name in RESOURCES]
