"""`nc64c import`: a network of another framework as one for the chip."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cosim.cli.commands.exchange.levels import table
from cosim.cli.commands.exchange.run import TickOption
from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import QuietOption, SeedOption
from sw.common.errors import InputError
from sw.files import output

EXAMPLE = (
    "Examples: `nc64c import net.nir --timesteps 30 --reset subtract --out out/net` and, with what "
    "each change costs, `nc64c import net.nir --timesteps 30 --sample events.npz "
    "--calibrate --bits 3 --out out/net`; trained on: `nc64c import net.nir --timesteps 30 "
    "--bits 2 --finetune train.npz --epochs 5 --out out/net`"
)


def import_(
    file: Annotated[Path, typer.Argument(help="NIR file.")],
    out: Annotated[Path, typer.Option(help="Folder for network, contract and floats.")],
    timesteps: Annotated[int, typer.Option(help="T, steps per image.")],
    dt: Annotated[float, typer.Option(help="Seconds of a step, for LIF and LI.")] = 1e-4,
    reset: Annotated[str, typer.Option(help="After a spike: zero, or subtract.")] = "zero",
    fires: Annotated[str, typer.Option(help="Where v is at the threshold, or above it.")] = "at",
    bits: Annotated[int, typer.Option(help="K of weights that are not whole.")] = 7,
    code: Annotated[
        str, typer.Option(help="Of these: odd (Eq. 13), or twos (complement).")
    ] = "odd",
    inputs: Annotated[
        str, typer.Option(help="spikes as they are; or of images: direct, rate, latency.")
    ] = "spikes",
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Take the nearest leak that the chip has.")
    ] = False,
    sample: Annotated[
        Path | None,
        typer.Option(help="Inputs on which each change is tried.", show_default="none"),
    ] = None,
    tick: TickOption = None,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Choose scales and move biases by the sample."),
    ] = False,
    finetune: Annotated[
        Path | None,
        typer.Option(help="Inputs with labels to train on with, at K bits.", show_default="none"),
    ] = None,
    epochs: Annotated[int, typer.Option(help="Of --finetune.", min=1, max=10_000)] = 5,
    seed: SeedOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Turn a network in a NIR file into one for the chip, and say what was changed.

    What the chip cannot hold is refused in a sentence. What the file does not say is decided by the
    options and printed. `--sample` runs the network as its file says it, and with each change.
    """
    with guarded(quiet) as progress:
        output.check_folder(out, file, sample, finetune)
        from sw.convert.decisions import Decisions
        from sw.convert.kept.folder import save
        from sw.convert.kept.imported import import_nir
        from sw.convert.steps import costs, levels
        from sw.convert.tuned.calibrate import calibrate as calibrated
        from sw.convert.tuned.finetune import FineTuning
        from sw.convert.tuned.finetune import finetune as trained
        from sw.data.user.read import read
        from sw.integer.takes import takes

        given: dict[str, Any] = {"reset": reset, "fires": fires, "code": code, "inputs": inputs}
        decisions = Decisions(
            timesteps=timesteps, dt=dt, bits=bits, approximate=approximate, **given
        )
        found = import_nir(file, decisions)
        wanted = takes(found.network, tick)
        tried = None if sample is None else read(sample, wanted, progress=progress)
        if calibrate:
            if tried is None:
                raise InputError("--calibrate: needs inputs, give --sample")
            found = calibrated(found, tried.values)
        if finetune is not None:
            data = read(finetune, wanted, progress=progress)
            with progress.stage("training", epochs * len(data.values)) as advance:
                found = trained(found, data, FineTuning(epochs, seed), advance)
        tries = None if tried is None else costs(found, tried)
        save(out, found, tries)
    say(quiet, str(found))
    if not quiet and tried is not None and tries is not None:
        shown = table("what each change costs", levels(tries), len(tried.values))
        Console(highlight=False).print(shown)
