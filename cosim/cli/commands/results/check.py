"""`nc64c check`: a run against one that was kept."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cosim.cli.findings import junit as xml
from cosim.cli.guard import DIFFERENT, MISSED, guarded
from cosim.cli.options import JunitOption, QuietOption

EXAMPLE = "Example: `nc64c check kept/run.json out/demo --junit out/check.xml`"


def check(
    baseline: Annotated[Path, typer.Argument(help="run.json of the run that was kept.")],
    run: Annotated[Path, typer.Argument(help="What cosim wrote.")] = Path("out/demo"),
    margin: Annotated[
        float, typer.Option(help="Points that accuracy must be shown not to lose.", min=0.01)
    ] = 1.0,
    slack: Annotated[
        float, typer.Option(help="Per cent more cycles and energy that are no regression.", min=0)
    ] = 1.0,
    junit: JunitOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare a run with a kept one: mismatches, accuracy, adversarial loss, cycles, energy.

    Answers are paired image by image, and must be shown to be no worse. Exit code 0: no regression;
    1: RTL and golden differ; 2: bad input; 4: worse than the kept run.
    """
    with guarded(quiet):
        from cosim.record import record
        from cosim.report.ci import check as checks
        from cosim.report.figures import mismatches

        xml.check(junit, baseline)
        limits = checks.Limits(margin, slack)
        now = record.load(run)
        found = checks.check(checks.kept(baseline), now, limits)
        xml.write(junit, "nc64c check", lambda: checks.cases(found, run))
    good = all(each.good for each in found)
    console = Console(stderr=not good, highlight=False, soft_wrap=True)
    for each in found:
        if not (each.good and quiet):
            mark = "ok   " if each.good else "WORSE"
            console.print(f"{mark} {each.what}: {each.words}", markup=False)
    if not quiet:
        console.print(checks.power(now, limits), markup=False)
    if mismatches(now):
        raise typer.Exit(DIFFERENT)
    if not good:
        raise typer.Exit(MISSED)
