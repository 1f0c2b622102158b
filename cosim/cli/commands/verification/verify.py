"""`nc64c verify`: the conformance kit, rule by rule, on a chip's RTL."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cosim.cli.console import say
from cosim.cli.findings import junit as xml
from cosim.cli.findings import triage
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import (
    AxonsOption,
    DendritesOption,
    JunitOption,
    MeshOption,
    QuietOption,
    SeedOption,
    chip_shape,
)
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES
from sw.files import output

if TYPE_CHECKING:
    from cosim.verify.kit.kit import Verdict

EXAMPLE = (
    "Examples: `nc64c verify` and, with a core of yours, `nc64c verify --rtl-core rtl/*.sv --top "
    "my_core --mesh 2x2 --axons 128 --dendrites 64`"
)
OUT = Path("out/verify")


def verify(
    out: Annotated[Path, typer.Option(help="Folder for the cases that differ.")] = OUT,
    mesh: MeshOption = "2x2",
    axons: AxonsOption = AXONS,
    dendrites: DendritesOption = DENDRITES,
    seed: SeedOption = 0,
    users: RtlOptions = OUR_RTL,
    junit: JunitOption = None,
    quiet: QuietOption = False,
) -> None:
    """Check a chip's RTL against the rules of its specification, one after the other.

    Reset, register map, memories, each rule of a tick at its extremes, routing, back-pressure,
    random programs, a small network: each is compared with the golden model, and what fails names
    its rule in hw/spec.py and leaves a case for `nc64c replay` in OUT; the first one is explained
    in OUT/mismatch. Exit code 0: all passed; 1: something differs; 2: bad input.
    """
    with guarded(quiet) as progress:
        shape = chip_shape(mesh, axons, dendrites)
        output.check_folder(out)
        xml.check(junit)
        choice = users.choice(shape)
        from cosim.rtl.choice import prepare, runner_of
        from cosim.verify.kit import results
        from cosim.verify.kit.kit import CHECKS, verdicts

        with progress.stage("simulator"):
            prepare(choice, shape)
        runner = runner_of(choice, shape, front_door=True, cleared=True)
        found = []
        with progress.stage("checks", len(CHECKS), unit="checks") as advance:
            for verdict in verdicts(shape, runner, seed):
                found.append(verdict)
                advance(1)
                progress.note(_line(verdict))
        failed = [verdict for verdict in found if verdict.case is not None]
        if failed:
            with output.staged(out) as stage:
                results.save(stage, failed, str(choice))
        first = next(iter(failed), None)
        said = ("", "") if first is None else (f"check {first.check.name}", first.reason)
        triage.of_case(first.case if first else None, choice, said, out, progress)
        xml.write(junit, "nc64c verify", lambda: results.junit_cases(found, out))
    _conclude(found, str(choice), out, quiet)


def _line(verdict: "Verdict") -> str:
    mark = "passed" if verdict.passed else "FAILED"
    extent = f"{verdict.cases} cases, {verdict.answers} answers"
    return f"{mark}  {verdict.check.name:17} {extent}"


def _conclude(found: "list[Verdict]", what: str, out: Path, quiet: bool) -> None:
    """Names what failed, by its rule; exit code 1 then."""
    failed = [verdict for verdict in found if not verdict.passed]
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for verdict in failed:
        console.print(f"{verdict.check.name}: {verdict.check.rule}", style="bold red", markup=False)
        console.print(f"  {verdict.reason}", markup=False)
        if verdict.case is not None:
            console.print(f"  again: nc64c replay {out / verdict.file}", markup=False)
    answers = sum(verdict.answers for verdict in found)
    if failed:
        console.print(f"{what}: {len(failed)} of {len(found)} checks failed", style="bold red")
        raise typer.Exit(DIFFERENT)
    say(quiet, f"{what}: all {len(found)} checks passed, {answers} answers compared")
