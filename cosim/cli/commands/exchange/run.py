"""`nc64c run`: inputs of a user on the chip with a network of a user."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from cosim.cli.commands.exchange.levels import table
from cosim.cli.console import say
from cosim.cli.findings import triage
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import AxonsOption, DendritesOption, MeshOption, QuietOption, chip_shape
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.files import output
from sw.files.atomic import atomic_write

if TYPE_CHECKING:
    from cosim.experiment.levels.own import OwnRun

RUN_FILE = "own.json"
LEVELS = 200
EXAMPLE = (
    "Examples: `nc64c run out/net/network.safetensors events.npz --images 20`; recordings of a "
    "camera in folders of classes, 10 ms a step: `nc64c run out/net/network.safetensors Test --tick"
    " 0.01 --images 50`; beside them inputs attacked elsewhere: `nc64c run "
    "out/net/network.safetensors clean.npz --sets fgsm.npz --sets pgd.npz --out out/run`"
)

InputsArgument = Annotated[
    Path,
    typer.Argument(
        help=".npz or .npy of images or spikes, .npz of events, a folder of pictures or recordings "
        "by class, an IDX file, N-MNIST's .bin, .aedat or .aedat4."
    ),
]
TickOption = Annotated[
    float | None,
    typer.Option(help="Seconds of a step, into which events are binned.", show_default="none"),
]


def run(
    network: Annotated[Path, typer.Argument(help="Network file of nc64c import.")],
    inputs: InputsArgument,
    out: Annotated[
        Path | None, typer.Option(help=f"Folder for report.html, {RUN_FILE}.", show_default="none")
    ] = None,
    sets: Annotated[
        list[Path] | None,
        typer.Option(help="More inputs, as a set of its own; repeatable.", show_default="none"),
    ] = None,
    tick: TickOption = None,
    images: Annotated[
        int | None, typer.Option(help="The first so many, of each set.", min=1, show_default="all")
    ] = None,
    levels: Annotated[
        int,
        typer.Option(help="Inputs, of each set, that also go through the import's steps.", min=1),
    ] = LEVELS,
    golden_only: Annotated[bool, typer.Option("--golden-only", help="Without RTL.")] = False,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    users: RtlOptions = OUR_RTL,
    quiet: QuietOption = False,
) -> None:
    """Show inputs of yours to a network of yours: integer network, golden model and RTL.

    Of a network that nc64c import has written the page also says what each change of the import
    costs on these inputs, from the floats on. Exit code 0: every spike and every membrane that is
    read is equal; 1: RTL and golden differ.
    """
    with guarded(quiet) as progress:
        shape = chip_shape(mesh, axons, dendrites)
        paths = [inputs, *(sets or [])]
        if out is not None:
            output.check_folder(out, network, *paths)
        from cosim.experiment.levels.own import named, run_own
        from cosim.mapping.choose import choose_mapping
        from cosim.rtl.choice import runner_of
        from sw.convert.kept.folder import beside
        from sw.data.user.read import read
        from sw.integer import network_file
        from sw.integer.takes import takes

        loaded = network_file.load(network)
        wanted = takes(loaded, tick)
        shown = {name: read(path, wanted, images, progress) for name, path in named(paths).items()}
        for name, each in shown.items():
            for note in each.notes:
                progress.say(f"{name}: {note}")
        mapping, choice = choose_mapping(loaded, shape), users.choice(shape)
        runner = None if golden_only else runner_of(choice, shape)
        with progress.stage("all levels"):
            done = run_own(loaded, mapping, shown, runner, beside(network, loaded), levels)
        if out is not None:
            facts = {
                "Command": shlex.join(["nc64c", *sys.argv[1:]]),
                "Network": str(network),
                "Inputs": ", ".join(map(str, paths)),
                "Chip": f"{mesh} cores of {axons} axons x {dendrites} dendrites",
                "RTL under test": "none" if golden_only else str(choice),
            }
            document = done.document() | {"facts": facts}
            _keep(document, out, None)
            if triage.of_own(done, (choice, shape), out, progress):
                _keep(document, out, out)
    say(quiet and done.equal, "\n".join(_lines(done)))
    if not quiet and done.contract is not None:
        for name, one in done.sets.items():
            Console(highlight=False).print(table(name, one.levels(), one.level_inputs))
    if done.different:
        raise typer.Exit(DIFFERENT)
    if not done.equal:
        raise RuntimeError("golden model and integer network differ")


def _keep(document: dict[str, Any], out: Path, triaged: Path | None) -> None:
    """Writes document and page, which also shows the triage in folder `triaged`."""
    from cosim.report import own

    text = json.dumps(document, indent=1) + "\n"
    with output.staged(out) as stage:
        atomic_write(stage / RUN_FILE, text.encode())
        own.write(stage, document, triaged)


def _lines(done: "OwnRun") -> list[str]:
    found = done.document()
    lines = [f"{found['network']}, {found['mapping']}"]
    for name, each in found["sets"].items():
        against, rtl = each["golden_against_rtl"], each["rtl"]
        lines.append(f"{name}, {each['inputs']} inputs")
        lines.append(f"integer = golden: {each['integer_against_golden']['mismatches']} mismatches")
        if rtl is not None:
            wrong = against["mismatched_spikes"] + against["mismatched_membranes"]
            lines.append(
                f"golden = RTL: {wrong} mismatches of {against['spikes']:,} spikes and "
                f"{against['membranes']:,} membranes; {rtl['cycles']:,} cycles"
            )
            if against["first"]:
                lines.append(against["first"])
        for level, share in each["accuracy"].items():
            if share is not None:
                lines.append(f"accuracy, {level}: {100 * share:.1f} %")
    return lines
