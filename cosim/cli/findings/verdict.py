"""What `nc64c cosim`, `demo` and `report` say of a run at its end, and their exit code."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.guard import DIFFERENT

if TYPE_CHECKING:
    from cosim.record.record import RunRecord


def conclude(run: "RunRecord", folder: Path, quiet: bool) -> None:
    """Prints the verdict and the table; exit code 1 when something differs."""
    from cosim.report.verdict import cautions, verdict

    found = verdict(run)
    good = found.equal and found.tested
    console = Console(stderr=not good, highlight=False, soft_wrap=True)
    if not quiet:
        Console(highlight=False).print(accuracy_table(run))
    style = "bold green" if good else "bold yellow" if found.equal else "bold red"
    console.print(found.headline, style=style)
    for caution in cautions(run):
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            caution, style="yellow", markup=False
        )
    if not found.equal:
        console.print(found.detail)
    for name, first in found.first.items():
        console.print(f"first in {name}: {first}", markup=False)
    if not quiet:
        typer.echo(f"report: {folder / 'report.html'}")
    if not found.equal:
        raise typer.Exit(DIFFERENT)


def accuracy_table(run: "RunRecord") -> Table:
    from cosim.record.record import LEVELS
    from cosim.report.figures import accuracy, adversarial_loss, images, source

    counts = images(run)
    table = Table(title=f"{run.network}, images per set by level; {source(run)}")
    table.add_column("set")
    table.add_column("figure")
    for level in LEVELS:
        table.add_column(f"{level}\n{counts[level]} images", justify="right")
    for name in run.sets:
        found = [accuracy(run, name, level) for level in LEVELS]
        table.add_row(name, "accuracy, %", *(f"{figure.value:.2f}" for figure in found))
    table.add_section()
    for name in adversarial_loss(run, LEVELS[0]):
        found = [adversarial_loss(run, level)[name] for level in LEVELS]
        row = (f"{figure.value:.2f}" for figure in found)
        table.add_row(name, "adversarial loss, points", *row)
    return table
