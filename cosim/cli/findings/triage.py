"""What a run that has found a difference leaves, without being asked: OUT/mismatch."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.files import output
from sw.files.atomic import atomic_write

if TYPE_CHECKING:
    from cosim.experiment.levels.own import OwnRun
    from cosim.experiment.levels.single import Place
    from cosim.experiment.oracle.run import Failing
    from cosim.experiment.run import Settings
    from cosim.record.record import RunRecord
    from cosim.rtl.choice import Choice
    from cosim.verify.case.case import Case
    from cosim.verify.triage.probe import Make


def after(settings: "Settings", run: "RunRecord", progress: Progress) -> bool:
    """Writes OUT/mismatch for the first difference of a run; whether it did.

    What an earlier run has left there goes first. Whatever goes wrong is said, and nothing more:
    the run has its verdict without it.
    """
    from cosim.experiment.levels.single import Place
    from cosim.experiment.run import one_stimulus
    from cosim.verify.triage.folder import FOLDER, clear, triage
    from cosim.verify.triage.probe import Failure

    clear(settings.out)
    for name, chosen in run.sets.items():
        failing = chosen.failing
        if failing is None:
            continue
        try:
            place = Place(
                failing.image, failing.first, failing.layer, failing.round, failing.number
            )
            with progress.stage("triage"):
                found = one_stimulus(settings, name, place, run.noise.bits, progress)
                what = f"set {name}, {found.what}"
                said = chosen.first_mismatch or ""
                failure = Failure(found.program, tuple(found.steps), what, said)
                why = triage(failure, maker(settings), settings.out)
        except Exception as error:  # the mismatch must not be hidden by it
            typer.echo(f"triage of set {name} could not be made: {error}", err=True)
            return False
        typer.echo(
            f"triage: {settings.out / FOLDER}" + ("" if why is None else f": {why.how}"), err=True
        )
        return True
    return False


def of_own(
    done: "OwnRun", chosen: "tuple[Choice, ChipShape]", out: Path, progress: Progress
) -> bool:
    """Writes `out`/mismatch for the first difference of a user's network; whether it did.

    `chosen` is the RTL, and the chip's shape. Whatever goes wrong is said, and nothing more.
    """
    from cosim.experiment.levels.single import Place, single
    from cosim.verify.triage.folder import FOLDER, clear, triage
    from cosim.verify.triage.probe import Failure

    clear(out)
    for name, one in done.sets.items():
        found = one.result.comparison.first
        if found is None:
            continue
        try:
            layer, number, place = found.stimulus or (None, 0, 0)
            where = Place(found.image, 0, layer, number, place)
            with progress.stage("triage"):
                again = single(done.mapping, done.network, one.inputs.values, where)
                what = f"set {name}, {again.what}"
                failure = Failure(again.program, tuple(again.steps), what, str(found))
                why = triage(failure, _maker(*chosen, front_door=False), out)
        except Exception as error:  # the mismatch must not be hidden by it
            typer.echo(f"triage of set {name} could not be made: {error}", err=True)
            return False
        typer.echo(f"triage: {out / FOLDER}" + ("" if why is None else f": {why.how}"), err=True)
        return True
    return False


def of_oracle(
    failing: "Failing | None", chosen: "tuple[Choice, ChipShape]", out: Path, progress: Progress
) -> None:
    """Writes `out`/mismatch for the first difference on an attacked chip; None: there is none.

    `chosen` is the RTL, and the chip's shape. Whatever goes wrong is said, and nothing more.
    """
    from cosim.verify.triage.folder import FOLDER, clear, triage
    from cosim.verify.triage.probe import Failure

    clear(out)
    if failing is None:
        return
    try:
        with progress.stage("triage"):
            again = failing.stimulus
            failure = Failure(again.program, tuple(again.steps), failing.what, failing.said)
            why = triage(failure, _maker(*chosen, front_door=False), out)
    except Exception as error:  # the mismatch must not be hidden by it
        typer.echo(f"triage could not be made: {error}", err=True)
        return
    typer.echo(f"triage: {out / FOLDER}" + ("" if why is None else f": {why.how}"), err=True)


def of_case(
    case: "Case | None", choice: "Choice", said: tuple[str, str], out: Path, progress: Progress
) -> None:
    """Writes `out`/mismatch for a case that differs; `said` is which one, and what differed.

    None: nothing differs, and only what an earlier run has left there goes. Whatever goes wrong in
    the triage is said, and nothing more.
    """
    from cosim.verify.triage.folder import FOLDER, clear, triage
    from cosim.verify.triage.probe import Failure

    clear(out)
    if case is None:
        return
    try:
        with progress.stage("triage"):
            failure = Failure(case.program, case.steps, *said)
            why = triage(failure, _maker(choice, case.shape, front_door=True, cleared=True), out)
    except Exception as error:  # the mismatch must not be hidden by it
        typer.echo(f"triage could not be made: {error}", err=True)
        return
    typer.echo(f"triage: {out / FOLDER}" + ("" if why is None else f": {why.how}"), err=True)


def record(
    settings: "Settings",
    name: str,
    place: "Place",
    where: tuple[tuple[int, int], tuple[int, int]],
    progress: Progress,
) -> list[str]:
    """Writes the waves of a core in some ticks of a stimulus; the names of the files.

    Raises `InputError`, and `SimulationError`.
    """
    from cosim.experiment.run import one_stimulus
    from cosim.verify.triage.probe import Failure
    from cosim.verify.triage.waves.chosen import record

    found = one_stimulus(settings, name, place, 0, progress)
    run = Failure(found.program, tuple(found.steps), f"set {name}, {found.what}", "")
    with progress.stage("waves"):
        contents, lacking = record(run, maker(settings), *where)
    with output.staged(settings.out) as stage:
        for file, content in contents.items():
            atomic_write(stage / file, content)
    for sentence in lacking:
        typer.echo(sentence, err=True)
    return list(contents)


def maker(settings: "Settings") -> "Make":
    """Makes runners of the run's RTL."""
    return _maker(settings.rtl, settings.shape, front_door=settings.front_door)


def _maker(
    choice: "Choice", shape: ChipShape, *, front_door: bool, cleared: bool = False
) -> "Make":
    from cosim.program.runner import Runner
    from cosim.rtl.choice import recorder_of, runner_of
    from cosim.rtl.played import Trace

    def make(trace: Trace | None) -> Runner:
        if trace is None:
            return runner_of(choice, shape, front_door=front_door, cleared=cleared)
        return recorder_of(choice, shape, trace, cleared=cleared)

    return make


def core_of(words: str, columns: int, rows: int) -> tuple[int, int]:
    """Mesh column and row from "X,Y". Raises `InputError`."""
    parts = words.split(",")
    if len(parts) == 2 and all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        x, y = int(parts[0][:9]), int(parts[1][:9])
        if x < columns and y < rows:
            return x, y
    raise InputError(f"core {words!r}: must be X,Y, 0,0 to {columns - 1},{rows - 1}")


def span_of(words: str) -> tuple[int, int]:
    """First tick, and the one behind the last, from "A:B". Raises `InputError`."""
    parts = words.split(":")
    if len(parts) == 2 and all(
        part.isascii() and part.isdigit() and len(part) < 10 for part in parts
    ):
        first, end = map(int, parts)
        if first < end:
            return first, end
    raise InputError(f"ticks {words!r}: must be A:B, the first and the one behind the last")
