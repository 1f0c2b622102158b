"""`nc64c doctor`: what is there of all that is needed, and what to do about the rest."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli import doctor as checks
from cosim.cli.guard import guarded

NOT_READY = 2  # exit code
EXAMPLE = "Example: `nc64c doctor`"


def doctor() -> None:
    """Say what of Python, compiler, Verilator, cache, disk and so on was found, or what to do.

    Exit code 0: all that is needed is there; 2: it is not.
    """
    with guarded():
        findings = checks.examine()
    lines = [(_mark(finding), finding.what, finding.found or finding.to_do) for finding in findings]
    if sys.stdout.isatty():
        table = Table("", "what", "found, or what to do")
        for finding, line in zip(findings, lines, strict=True):
            table.add_row(
                *line, style="" if finding.good else "red" if finding.needed else "yellow"
            )
        Console(highlight=False).print(table)
    else:
        for mark, what, words in lines:
            typer.echo(f"{mark:8} {what}: {words}")
    missing = [finding.what for finding in findings if finding.needed and not finding.good]
    if missing:
        typer.echo(f"not ready: {', '.join(missing)}", err=True)
        raise typer.Exit(NOT_READY)


def _mark(finding: checks.Finding) -> str:
    return "ok" if finding.good else "MISSING" if finding.needed else "optional"
