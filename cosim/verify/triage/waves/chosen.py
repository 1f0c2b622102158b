"""The waves of one core in some ticks, golden model's and RTL's, as the files that show them."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from cosim.rtl.played import Trace
from cosim.verify.triage.moments import Moment, Moments
from cosim.verify.triage.probe import Failure, Make, golden_run
from cosim.verify.triage.waves import files
from cosim.verify.triage.waves.lanes import GoldenCore, golden_lanes, rtl_lanes
from cosim.verify.triage.waves.picture import picture
from cosim.verify.triage.waves.wave import CYCLE, Wave
from sw.common.errors import InputError

AROUND = 24  # cycles before and after the first divergence, in the picture
NEURONS = 4  # whose membranes are shown, where no other ones are asked for


@dataclass(frozen=True)
class Parting:
    """Where two chips part: when, by the RTL's clock (None: not known), and in which register."""

    time: int | None
    register: str


def side_by_side(
    golden: GoldenCore, wave: Wave, parting: Parting | None, lacking: list[str]
) -> dict[str, bytes]:
    """The golden wave, the viewers' files, and the picture; `lacking` hears of what is missing."""
    begins = wave.begins()
    start = min(begins.values()) if begins else 0
    ours = golden_lanes(wave, golden)
    register = "" if parting is None else parting.register
    names = [n for n in files.names_of(golden.neurons, register) if n in ours.values]
    rtl = rtl_lanes(wave, names, start, wave.end + CYCLE)
    mark = None if parting is None else parting.time
    middle = start + AROUND * CYCLE if mark is None else mark
    span = (max(middle - AROUND * CYCLE, 0), middle + AROUND * CYCLE)
    made = {
        "golden.vcd": files.vcd(ours, rtl, names, mark),
        "waves.gtkw": files.gtkw("golden.vcd", names, span, mark),
        "waves.sucl": files.surfer("golden.vcd", names, span, mark),
    }
    try:
        return made | {"picture.png": picture(rtl, ours, names, span, mark)}
    except InputError as error:
        lacking.append(f"picture.png could not be made: {error}")
        return made


def _at(run: Failure, core: tuple[int, int], tick: int) -> Moment | None:
    """A core at a `go`; None for one that the program does not use."""
    if core not in {(each.x, each.y) for each in run.program.cores}:
        return None
    watcher = Moments(core, tick)
    golden_run(run.program, run.steps, watcher)
    return watcher.moment


def record(
    run: Failure, make: Make, core: tuple[int, int], ticks: tuple[int, int]
) -> tuple[dict[str, bytes], list[str]]:
    """The files of the waves of a core from tick `ticks`[0] on, to the one before `ticks`[1].

    The golden model's have no counters: the RTL takes the spikes for the next tick while one runs,
    and nobody asks in between. Also what could not be made, in sentences. Raises `InputError` for
    ticks that are not there.
    """
    first, end = ticks
    if end > run.ticks:
        raise InputError(f"ticks {first}:{end}: {run.what} has ticks 0:{run.ticks}")
    lacking: list[str] = []
    moments = {tick: moment for tick in range(first, end) if (moment := _at(run, core, tick))}
    if not moments:
        raise InputError(f"core {core[0]},{core[1]}: {run.what} does not use it")
    with tempfile.TemporaryDirectory(prefix="nc64c-") as name:
        trace = Trace(*core, first, end, Path(name, "rtl.fst"))
        make(trace).run(replace(run.program), [run.steps])
        contents = {"rtl.fst": trace.file.read_bytes()}
        neurons = list(range(min(NEURONS, next(iter(moments.values())).config.neurons)))
        chosen = GoldenCore(moments, {}, {}, {}, neurons)
        try:
            contents |= side_by_side(chosen, Wave(trace.file, first), None, lacking)
        except InputError as error:
            lacking.append(f"golden.vcd could not be made: {error}")
    return contents, lacking
