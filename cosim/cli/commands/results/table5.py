"""`nc64c table5`: the paper's Table 5 of a finished run."""

from pathlib import Path
from typing import Annotated

import typer

from cosim.cli.guard import guarded

EXAMPLE = "Example: `nc64c table5 out/vgg5 --out docs/results/vgg5`"


def table5(
    folder: Annotated[Path, typer.Argument(help="What cosim wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files.", show_default="the run's")
    ] = None,
) -> None:
    """The paper's Table 5 of a finished run: table5.md, .json, and .png and .svg by eps."""
    target = folder if out is None else out
    with guarded():
        from cosim.record import record
        from cosim.report import document, plots
        from cosim.report.studies import table5 as tables

        plots.check()
        run = record.load(folder)
        text = tables.as_markdown(run)
        pictures = tables.as_pictures(run)
        document.write(target, "table5", tables.as_json(run), text, pictures)
    typer.echo(text)
