"""The folder that a failure leaves: waves, picture, terms, explanation and replay."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from cosim.program.errors import Mismatch
from cosim.program.runner import Run, Runner
from cosim.rtl.played import Trace
from cosim.verify.case import case_file
from cosim.verify.case.case import Case
from cosim.verify.triage import reduce, senders
from cosim.verify.triage.explain import Evidence, Explanation, explain, focus
from cosim.verify.triage.moments import Moment, Moments
from cosim.verify.triage.probe import BEFORE, Difference, Failure, Make, Probed, golden_run, probe
from cosim.verify.triage.stages import lfsr_parts
from cosim.verify.triage.terms import terms
from cosim.verify.triage.waves.chosen import Parting, side_by_side
from cosim.verify.triage.waves.lanes import GoldenCore
from cosim.verify.triage.waves.wave import Wave
from hw.spec import Counter, Region
from sw.common.errors import InputError, reason
from sw.files import output
from sw.files.atomic import atomic_write

T = TypeVar("T")

FOLDER = "mismatch"
FILES = (  # all that a triage may leave there
    *("explanation.txt", "terms.txt", "replay.txt", "picture.png"),
    *("rtl.fst", "golden.vcd", "waves.gtkw", "waves.sucl"),
)
MOST_NEURONS = 4  # whose membranes are among the signals
TIME_BASE = """\
golden.vcd has both chips' signals by the same names, in the scopes `rtl` (copied from rtl.fst)
and `golden`. Time is that of the RTL's simulation, 2 ns a clock cycle. The golden model knows ticks
and no cycles: what it makes of a neuron stands in the cycle in which the RTL has that neuron in the
same stage, its membrane where the RTL writes it, and what is answered where the RTL answers it.
"""


@dataclass(frozen=True, eq=False)
class Found:
    """A failure made small, and all that is known of it. `lacking` says what could not be made."""

    failure: Failure
    probed: Probed
    differences: list[Difference]
    at: Difference
    lacking: list[str] = field(default_factory=list)

    def moment(self, tick: int) -> Moment | None:
        """The failing core at a `go`."""
        watcher = Moments((self.at.x, self.at.y), tick)
        golden_run(self.failure.program, self.probed.steps, watcher)
        return watcher.moment


def triage(failure: Failure, make: Make, out: Path) -> Explanation | None:
    """Looks for what went wrong and writes it into `out`/mismatch.

    None: the failure does not come back when the chip is read after every tick; the folder says so.
    Raises `InputError` if the folder cannot be written, and `SimulationError`.
    """
    folder = out / FOLDER
    try:
        found = small(failure, make)
    except Mismatch as error:
        _write(
            folder, {"explanation.txt": _hang(failure, error), "replay.txt": _replay(failure, [])}
        )
        return None
    if found is None:
        text = (
            f"{failure.what}: {failure.found}\n\nRead after every tick, the chips do not differ.\n"
        )
        _write(folder, {"explanation.txt": text.encode(), "replay.txt": _replay(failure, [])})
        return None
    with tempfile.TemporaryDirectory(prefix="nc64c-") as name:
        fst = Path(name, "rtl.fst")
        wave = waved(found, make, fst)
        moment = found.moment(found.at.tick) if found.at.tick >= 0 else None
        sent = (
            senders.sent_right(found.failure, found.probed.steps, found.at, make)
            if _arrival(found.at) and wave
            else None
        )
        dropped = senders.to_missing_pages(found.failure, found.at)
        said = explain(found.differences, Evidence(found.probed, moment, wave, sent, dropped))
        if wave is not None and said.register == "soma.lfsr":
            said = dated(said, found, wave)
        contents: dict[str, bytes] = {}
        if fst.exists():
            contents["rtl.fst"] = fst.read_bytes()
        if wave is not None:
            shown = _tried(found.lacking, "golden.vcd", lambda: pictured(found, wave, said))
            contents |= shown or {}
        contents["terms.txt"] = _terms(found, moment, wave).encode()
        contents["replay.txt"] = _replay(found.failure, [said.how])
        foreign = "rtl.fst" in contents and wave is None  # it has no signal of these names
        contents["explanation.txt"] = _explanation(failure, found, said, foreign=foreign)
        _write(folder, contents)
    return said


def clear(out: Path) -> None:
    """Takes away what an earlier triage has left in `out`, and nothing else.

    Raises `InputError` if that cannot be done.
    """
    folder = out / FOLDER
    try:
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    except NotADirectoryError:
        return  # a file of this name is the user's
    except OSError as error:
        raise InputError(f"cannot take away the old {folder}: {reason(error)}") from error


def small(failure: Failure, make: Make) -> Found | None:
    """The failure with readings, made as small as still shows the same difference."""
    rtl = make(None)
    twice = replace(failure, steps=failure.steps * 2)  # a state that RESTART should have cleared
    for tried in (failure, twice):
        probed = probe(tried, rtl)
        found = probed.differences
        if found:
            break
    else:
        return None
    at = focus(found)
    best = Found(tried, probed, found, at)
    for less in reduce.smaller(tried, at):
        again = _shows(less, at, rtl)
        if again is not None:
            best = again
            break
    bare = reduce.without_silent_axons(best.failure)
    return _shows(bare, best.at, rtl) or best


def _shows(failure: Failure, at: Difference, rtl: Runner) -> Found | None:
    """A smaller failure, if it shows the same difference; None if not, or if the RTL hangs."""
    try:
        probed = probe(failure, rtl)
    except Mismatch:
        return None
    found = probed.differences
    if not found or not _same(focus(found), at):
        return None
    return Found(failure, probed, found, focus(found))


def _same(one: Difference, other: Difference) -> bool:
    return (one.tick, one.x, one.y, one.region) == (other.tick, other.x, other.y, other.region)


def waved(found: Found, make: Make, fst: Path) -> Wave | None:
    """The waves of the failing tile around the failing tick, into `fst`.

    None: there are none, or the file has none of our signals, as of a chip of a user's.
    """
    at = found.at
    trace = Trace(at.x, at.y, max(at.tick - 1, 0), max(at.tick, 0) + 1, fst)

    def run() -> Run:
        return make(trace).run(replace(found.failure.program), [found.probed.steps])

    recorded = _tried(found.lacking, "rtl.fst", run)
    if recorded is None:
        return None
    if replace(found.probed, golden=recorded.responses[0]).differences:
        found.lacking.append("rtl.fst is of a run that answered otherwise than the one explained")
    return _tried(found.lacking, "golden.vcd", lambda: Wave(fst, trace.first))


def dated(said: Explanation, found: Found, wave: Wave) -> Explanation:
    """The same with the tick in which the LFSR, which no READ shows, is first wrong in the wave."""
    ticks = range(max(found.at.tick, 0) + 1)
    moments = {tick: moment for tick in ticks if (moment := found.moment(tick)) is not None}
    parts = lfsr_parts(wave, moments)
    return said if parts is None else replace(said, since=parts[0], time=parts[1])


def _tried(lacking: list[str], what: str, do: Callable[[], T]) -> T | None:
    """What `do` gives; if it cannot be made, the rest still is."""
    try:
        return do()
    except (InputError, Mismatch, KeyError, IndexError, ValueError) as error:
        lacking.append(f"{what} could not be made: {error}")
        return None


def _arrival(at: Difference) -> bool:
    return at.region == Region.COUNTER and at.offset == 2 * Counter.SPIKES_IN


def pictured(found: Found, wave: Wave, said: Explanation) -> dict[str, bytes]:
    """Golden wave, viewers' files and picture."""
    at = found.at
    ticks = range(max(said.tick - 1, 0), max(at.tick, 0) + 1)
    moments = {tick: moment for tick in ticks if (moment := found.moment(tick)) is not None}
    right = found.probed.golden
    words = {
        region: found.probed.words(right, at.x, at.y, region)
        for region in (Region.COUNTER, Region.MEMBRANE, Region.REGISTER)
    }
    registers = words[Region.REGISTER].get(BEFORE, {}) if at.tick == BEFORE else {}
    golden = GoldenCore(
        moments, words[Region.COUNTER], words[Region.MEMBRANE], registers, _shown(found)
    )
    mark = None if said.time is None else said.time - 1
    if mark is None and at.tick in wave.begins():
        mark = wave.last(at.tick)
    return side_by_side(golden, wave, Parting(mark, said.register), found.lacking)


def _shown(found: Found) -> list[int]:
    at = found.at
    here = [
        each.offset
        for each in found.differences
        if (each.tick, each.x, each.y) == (at.tick, at.x, at.y)
        and each.region in (Region.MEMBRANE, Region.SPIKE)
    ]
    mine = [at.offset] if at.region in (Region.MEMBRANE, Region.SPIKE) else [0]
    return list(dict.fromkeys(mine + here))[:MOST_NEURONS]


def _terms(found: Found, moment: Moment | None, wave: Wave | None) -> str:
    at = found.at
    if moment is None or at.region not in (Region.MEMBRANE, Region.SPIKE):
        return "No membrane is among the first things that differ.\n"
    got = found.probed.words(found.probed.rtl, at.x, at.y, Region.MEMBRANE).get(at.tick, {})
    visits = [] if wave is None or at.tick not in wave.begins() else wave.visits(at.tick)
    mine = [visit for visit in visits if visit.neuron == at.offset and visit.last_pass]
    return terms(moment, at.offset, got.get(at.offset), mine[-1] if mine else None)


def _explanation(failure: Failure, found: Found, said: Explanation, *, foreign: bool) -> bytes:
    at, cores = found.at, found.failure.program.cores
    places = ", ".join(f"({core.x}, {core.y})" for core in cores[:2])
    many = "core" if len(cores) == 1 else "cores"
    parts = [
        f"{failure.what}: {failure.found}",
        said.how,
        _first_answer(at) if foreign else _first_register(said),
        f"replay.txt has {len(cores)} {many}" + (f", {places}." if len(cores) <= 2 else "."),
        *([] if foreign else [TIME_BASE.strip()]),
        *found.lacking,
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _first_register(said: Explanation) -> str:
    at = said.at
    return (
        f"First wrong register: {said.register} of core ({at.x}, {at.y}), in tick {said.tick}"
        + ("." if said.time is None else f", at {said.time - 1} ns in rtl.fst.")
        + ("" if said.tick == at.tick else f" Nothing else shows it before tick {at.tick}.")
    )


def _first_answer(at: Difference) -> str:
    """What the host gets first that is wrong."""
    word = f"{at.region.name} {at.offset} of core ({at.x}, {at.y})"
    return f"First wrong answer to the host: {word}, in tick {at.tick}."


def _hang(failure: Failure, error: Mismatch) -> bytes:
    how = "A tick that never ends is one in which a flit or a neuron waits for ever."
    return f"{failure.what}: {failure.found}\n\n{error}. {how}\n".encode()


def _replay(failure: Failure, comment: list[str]) -> bytes:
    text = "\n".join([failure.what, failure.found, *comment])
    return case_file.dumps(Case(failure.program, failure.steps, text)).encode()


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    with output.staged(folder) as stage:
        for name, content in contents.items():
            atomic_write(stage / name, content)
