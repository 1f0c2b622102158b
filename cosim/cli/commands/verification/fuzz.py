"""`nc64c fuzz` and `nc64c replay`: random cases against golden and RTL, and one case again."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosim.cli.console import say
from cosim.cli.findings import junit as xml
from cosim.cli.findings import triage
from cosim.cli.guard import DIFFERENT, guarded
from cosim.cli.options import MAX_SEED, JobsOption, JunitOption, QuietOption, chip_shape
from cosim.cli.rtl_options import OUR_RTL, RtlOptions
from hw.spec import AXONS, DENDRITES, ChipShape
from sw.common.errors import InputError
from sw.common.machine import usable_cores
from sw.files import output

if TYPE_CHECKING:
    from cosim.verify.case.case import Case
    from cosim.verify.fuzz.campaign import Outcome

EXAMPLE = (
    "Examples: `nc64c fuzz --count 500` and `nc64c fuzz --seed 7 --minutes 30 --out out/night`; "
    "with a core of yours: `nc64c fuzz --rtl-core rtl/*.sv --top my_core --mesh 2x2 --axons 128 "
    "--dendrites 64 --count 200`"
)
REPLAY_EXAMPLE = (
    "Examples: `nc64c replay out/fuzz/case-0.txt` and `nc64c replay out/run/mismatch/replay.txt`"
)
REPLAY_OUT = Path("out/replay")
MAX_CASES, MAX_MINUTES = 10**9, 10**6
ONE_MESH = "8x8"  # of a chip whose size is only partly given, and of a user's


def fuzz(
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0, max=MAX_SEED)] = 0,
    count: Annotated[
        int | None,
        typer.Option(help="Cases to try.", min=1, max=MAX_CASES, show_default="no limit"),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Minutes to go on for.", min=0, max=MAX_MINUTES, show_default="no limit"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the case that differs.")] = Path("out/fuzz"),
    jobs: JobsOption = None,
    mesh: Annotated[
        str | None, typer.Option(help="Cores of the chip.", show_default="several chips in turns")
    ] = None,
    axons: Annotated[
        int | None, typer.Option(help="Axons of a core.", max=AXONS, show_default="as the chips")
    ] = None,
    dendrites: Annotated[
        int | None,
        typer.Option(help="Dendrites of a core.", max=DENDRITES, show_default="as the chips"),
    ] = None,
    users: RtlOptions = OUR_RTL,
    junit: JunitOption = None,
    quiet: QuietOption = False,
) -> None:
    """Try random cases on golden model and RTL until they differ, or as long as is asked for.

    A case is a program (all cores' memories and registers) and what a host does to the chip:
    spikes, ticks, reconfiguration, read-back, resets in the middle of a tick, ports that are not
    ready. The first one that differs is made small, kept as OUT/case-SEED.txt for `nc64c replay`,
    and explained in OUT/mismatch. Exit code 0: nothing differed; 1: something did; 2: bad input;
    130: interrupted.
    """
    with guarded(quiet) as progress:
        output.check_folder(out)
        xml.check(junit)
        sizes = (mesh, axons, dendrites)
        one = None
        if users.given or any(size is not None for size in sizes):
            one = chip_shape(mesh or ONE_MESH, axons or AXONS, dendrites or DENDRITES)
        choice = users.choice(one or ChipShape())
        from cosim.report.ci.junit import Case
        from cosim.verify.case import case_file
        from cosim.verify.fuzz import campaign, draw
        from cosim.verify.triage.folder import FOLDER

        found = campaign.run(
            campaign.Campaign(
                seed=seed,
                count=count,
                minutes=minutes,
                shapes=draw.SHAPES if one is None else (one,),
                choice=choice,
                jobs=jobs or usable_cores(),
            ),
            progress,
        )
        path = out / f"case-{seed}.txt"
        if found.case is not None:
            with output.staged(out) as stage:
                case_file.save(stage / path.name, found.case)
        said = (f"fuzz with seed {seed}", found.difference)
        triage.of_case(found.case, choice, said, out, progress)
        files = [] if found.case is None else [path, out / FOLDER]
        tested = Case(
            f"seed {seed}", "nc64c.fuzz", found.seconds, found.difference, _tried(found), files
        )
        xml.write(junit, "nc64c fuzz", lambda: [tested])
    _conclude(found, path, quiet)


def replay(
    file: Annotated[Path, typer.Argument(help="A case file, of `nc64c fuzz` or written by hand.")],
    out: Annotated[Path, typer.Option(help="Folder for the triage of what differs.")] = REPLAY_OUT,
    users: RtlOptions = OUR_RTL,
    junit: JunitOption = None,
    quiet: QuietOption = False,
) -> None:
    """Play one case on golden model and RTL, and name the first thing that differs.

    It is explained in OUT/mismatch. Exit code 0: nothing differs; 1: something does; 2: bad input.
    """
    with guarded(quiet) as progress:
        from cosim.verify.case import case_file
        from cosim.verify.triage.folder import FOLDER

        case = case_file.load(file)
        output.check_folder(out)
        output.check_folder(out / FOLDER, file.parent)
        xml.check(junit, file)
        choice = users.choice(case.shape)
        from cosim.golden.runner import GoldenRunner
        from cosim.report.ci.junit import Case
        from cosim.rtl.choice import runner_of
        from cosim.verify.case.case import difference, run_case

        start = time.monotonic()
        try:
            expected = run_case(case, GoldenRunner())
        except ValueError as error:
            raise InputError(f"{file}: no chip can take this case: {error}") from error
        with progress.stage("RTL"):
            runner = runner_of(choice, case.shape, front_door=True, cleared=True)
            found = difference(case, expected, runner)
        seconds = time.monotonic() - start
        triage.of_case(case if found else None, choice, (f"case {file}", found), out, progress)
        extent = f"{_extent(case)}, {_many(sum(map(len, expected)), 'answer')}"
        files = [file, out / FOLDER] if found else []
        tested = Case(str(file), "nc64c.replay", seconds, found, extent, files)
        xml.write(junit, "nc64c replay", lambda: [tested])
    if found:
        typer.echo(f"RTL and golden model differ: {found}", err=True)
        raise typer.Exit(DIFFERENT)
    say(quiet, f"RTL equals the golden model: {extent}")


def _extent(case: "Case") -> str:
    ticks = sum(step.go for step in case.steps)
    cores, steps = _many(len(case.program.cores), "core"), _many(len(case.steps), "step")
    return f"{cores}, {steps}, {_many(ticks, 'tick')}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _tried(found: "Outcome") -> str:
    rate = found.cases / max(found.seconds, 1e-9)
    chips = ", ".join(sorted(f"{s.columns}x{s.rows} {s.axons}x{s.dendrites}" for s in found.shapes))
    return f"{found.cases} cases in {found.seconds:.0f} s, {rate:.1f} configurations/s, on {chips}"


def _conclude(found: "Outcome", path: Path, quiet: bool) -> None:
    """Says what came of it; exit code 1 when something differed."""
    if found.case is None:
        say(quiet, f"RTL equals the golden model: {_tried(found)}")
        return
    typer.echo(f"RTL and golden model differ: {found.difference}", err=True)
    typer.echo(f"the case: {path}, {_extent(found.case)}; again: nc64c replay {path}", err=True)
    say(quiet, _tried(found))
    raise typer.Exit(DIFFERENT)
