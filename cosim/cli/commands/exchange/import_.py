"""`nc64c import` and `nc64c run`: a network of another framework, and the chip with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cosim.cli.console import say
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import AxonsOption, DendritesOption, MeshOption, QuietOption, chip_shape
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.common.errors import InputError
from sw.files import output
from sw.files.atomic import atomic_write

if TYPE_CHECKING:
    from cosim.experiment.levels.own import OwnRun
    from sw.convert.steps import StepResult
    from sw.data.user_file import UserInputs

NETWORK_FILE, CONTRACT_FILE, RUN_FILE = "network.safetensors", "contract.json", "own.json"
EXAMPLE = (
    "Examples: `nc64c import net.nir --timesteps 30 --reset subtract --out out/net` and, with what "
    "each change costs, `nc64c import net.nir --timesteps 30 --sample events.npz --out out/net`"
)
RUN_EXAMPLE = "Example: `nc64c run out/net/network.safetensors events.npz --images 20`"

InputsArgument = Annotated[
    Path, typer.Argument(help=".npz: spikes [n, T, C, H, W] or images [n, C, H, W], and labels.")
]


def import_(
    file: Annotated[Path, typer.Argument(help="NIR file.")],
    out: Annotated[Path, typer.Option(help=f"Folder for {NETWORK_FILE} and {CONTRACT_FILE}.")],
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
        typer.Option(help="Inputs (.npz) on which each change is tried.", show_default="none"),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Turn a network in a NIR file into one for the chip, and say what was changed.

    What the chip cannot hold is refused in a sentence. What the file does not say is decided by the
    options and printed. `--sample` runs the network as its file says it, and with each change.
    """
    with guarded(quiet):
        output.check_folder(out, file, sample)
        from sw.convert.contract import lines
        from sw.convert.decisions import Decisions
        from sw.convert.imported import import_nir
        from sw.convert.steps import steps
        from sw.data import user_file
        from sw.integer import network_file

        given: dict[str, Any] = {"reset": reset, "fires": fires, "code": code, "inputs": inputs}
        decisions = Decisions(
            timesteps=timesteps, dt=dt, bits=bits, approximate=approximate, **given
        )
        tried = None if sample is None else user_file.read(sample)
        if tried is not None and tried.spikes != (decisions.inputs == "spikes"):
            raise InputError(f"{sample}: has other inputs than --inputs {decisions.inputs}")
        found = import_nir(file, decisions)
        document = found.document
        results = [] if tried is None else steps(found, decisions, tried.values)
        if tried is not None:
            document["steps"] = [_step(each, tried) for each in results]
        with output.staged(out) as stage:
            network_file.save(stage / NETWORK_FILE, found.network)
            text = json.dumps(document, indent=1, allow_nan=False) + "\n"
            atomic_write(stage / CONTRACT_FILE, text.encode())
    say(quiet, "\n".join(lines(document)))
    if not quiet and tried is not None:
        Console(highlight=False).print(_table(document["steps"]))


def run(
    network: Annotated[Path, typer.Argument(help=f"{NETWORK_FILE} of nc64c import.")],
    inputs: InputsArgument,
    out: Annotated[
        Path | None, typer.Option(help=f"Folder for {RUN_FILE}.", show_default="none")
    ] = None,
    images: Annotated[
        int | None, typer.Option(help="The first so many.", min=1, show_default="all")
    ] = None,
    golden_only: Annotated[bool, typer.Option("--golden-only", help="Without RTL.")] = False,
    mesh: MeshOption = "8x8",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    users: RtlOptions = OUR_RTL,
    quiet: QuietOption = False,
) -> None:
    """Show inputs of yours to a network of yours: integer network, golden model and RTL.

    Exit code 0: every spike and every membrane that is read is equal; 1: RTL and golden differ.
    """
    with guarded(quiet):
        shape = chip_shape(mesh, axons, dendrites)
        if out is not None:
            output.check_folder(out, network, inputs)
        from cosim.experiment.levels.own import run_own
        from cosim.mapping.choose import choose_mapping
        from cosim.rtl.choice import runner_of
        from sw.data import user_file
        from sw.integer import network_file

        loaded = network_file.load(network)
        shown = user_file.read(inputs)
        if images is not None:
            shown = shown.first(images)
        mapping = choose_mapping(loaded, shape)
        runner = None if golden_only else runner_of(users.choice(shape), shape)
        done = run_own(loaded, mapping, shown, runner)
        if out is not None:
            text = json.dumps(done.document(), indent=1) + "\n"
            with output.staged(out) as stage:
                atomic_write(stage / RUN_FILE, text.encode())
    say(quiet and done.equal, "\n".join(_lines(done)))
    if done.different:
        raise typer.Exit(DIFFERENT)
    if done.result.mapping_mismatches:
        raise RuntimeError("golden model and integer network differ")


def _step(each: "StepResult", tried: "UserInputs") -> dict[str, Any]:
    labels = tried.labels
    right = None if labels is None else float((each.predictions == labels).mean())
    return {
        "step": each.name,
        "accuracy": right,
        "predictions": each.predictions.tolist(),
        "spikes": each.spikes,
    }


def _table(found: list[dict[str, Any]]) -> Table:
    """Accuracy and spikes of each layer, step by step, and how many answers are the file's."""
    table = Table(title="what each change costs")
    table.add_column("")
    for each in found:
        table.add_column(each["step"], justify="right")
    first = found[0]["predictions"]
    same = (sum(map(int.__eq__, each["predictions"], first)) for each in found)
    table.add_row("answers as the file's", *(f"{count} of {len(first)}" for count in same))
    if found[0]["accuracy"] is not None:
        table.add_row("accuracy", *(f"{100 * each['accuracy']:.1f} %" for each in found))
    for layer in found[0]["spikes"]:
        table.add_row(f"spikes of {layer}", *(f"{each['spikes'][layer]:,}" for each in found))
    return table


def _lines(done: "OwnRun") -> list[str]:
    found = done.document()
    against = found["golden_against_rtl"]
    lines = [
        f"{found['network']}, {found['mapping']}, {found['inputs']} inputs",
        f"integer = golden: {found['integer_against_golden']['mismatches']} mismatches",
    ]
    if found["rtl"] is not None:
        wrong = against["mismatched_spikes"] + against["mismatched_membranes"]
        lines.append(
            f"golden = RTL: {wrong} mismatches of {against['spikes']:,} spikes and "
            f"{against['membranes']:,} membranes; {found['rtl']['cycles']:,} cycles"
        )
        if against["first"]:
            lines.append(against["first"])
    for level, share in found["accuracy"].items():
        if share is not None:
            lines.append(f"accuracy, {level}: {100 * share:.1f} %")
    return lines
