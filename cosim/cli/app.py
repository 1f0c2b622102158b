"""The command line, `nc64c`: its commands, and how it starts and ends.

Commands import the work that they need themselves, so that `nc64c --help` answers at once.
"""

import os
import signal
import sys
from collections.abc import Callable
from importlib import metadata
from types import FrameType
from typing import Annotated

import typer

from cosim.cli.commands import (
    bench,
    cosim,
    doctor,
    map,
    noise,
    oracle,
)
from cosim.cli.commands.algorithm import attack, paper, robustness, train
from cosim.cli.commands.exchange import encode, export, import_, ranc, run, verilog
from cosim.cli.commands.results import check, table5
from cosim.cli.commands.verification import fuzz, verify
from cosim.cli.guard import exit_code_of
from cosim.cli.rtl_options import RtlCommand, with_rtl
from sw.common.memory import keep_freed

COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (cosim.demo, cosim.DEMO_EXAMPLE),
    (cosim.cosim, cosim.EXAMPLE),
    (cosim.report, cosim.REPORT_EXAMPLE),
    (cosim.waves, cosim.WAVES_EXAMPLE),
    (check.check, check.EXAMPLE),
    (map.map_, map.EXAMPLE),
    (import_.import_, import_.EXAMPLE),
    (run.run, run.EXAMPLE),
    (export.export, export.EXAMPLE),
    (encode.encode, encode.EXAMPLE),
    (attack.attack, attack.EXAMPLE),
    (train.train, train.EXAMPLE),
    (train.shrink, train.SHRINK_EXAMPLE),
    (noise.noise, noise.EXAMPLE),
    (table5.table5, table5.EXAMPLE),
    (robustness.robustness, robustness.EXAMPLE),
    (oracle.oracle, oracle.EXAMPLE),
    (verify.verify, verify.EXAMPLE),
    (fuzz.fuzz, fuzz.EXAMPLE),
    (fuzz.replay, fuzz.REPLAY_EXAMPLE),
    (verilog.verilog, verilog.EXAMPLE),
    (ranc.ranc, ranc.EXAMPLE),
    (doctor.doctor, doctor.EXAMPLE),
)

app = typer.Typer(
    name="nc64c",
    help="Trained, quantised, attacked spiking networks on the NC64C chip: RTL against golden.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(paper.app)
app.add_typer(bench.app)
for command, example in COMMANDS:
    name = command.__name__.strip("_")
    app.command(name=name, epilog=example, cls=RtlCommand)(with_rtl(command))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nc64c {metadata.version('nc64c')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What stands before a command's name."""


def main() -> None:
    """Entry point. Being terminated is like Ctrl-C: what was started is stopped."""
    signal.signal(signal.SIGTERM, _terminated)
    os.environ["MPLBACKEND"] = "agg"  # pictures go to files; the user's choice may not be there
    keep_freed()
    sys.exit(exit_code_of(app))


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
