"""The files of waves as readers see them: whether the RTL's says what the golden model's says."""

import importlib
import re
from pathlib import Path

from cosim.verify.triage.waves.lanes import ELSEWHERE
from cosim.verify.triage.waves.wave import Wave

AT_FIRE = ("hit", "settled", "fired_valid", "total", "lfsr", "fire_neuron")  # of the soma


def parts(folder: Path, register: str, tick: int) -> bool:
    """Whether a register of the RTL is not what the golden model's wave says, in a tick.

    It is looked at half a cycle after the golden model's changes, and what a neuron becomes also
    when it does not change, whenever the RTL has one.
    """
    wave = Wave(folder / "rtl.fst")
    assert wave.full(register), register
    lane = next((ours for ours, theirs in ELSEWHERE.items() if theirs == register), register)
    golden = golden_wave(folder / "golden.vcd")[lane]
    looked = {time for time, _ in golden if wave.begins()[tick] <= time <= wave.last(tick)}
    if register.removeprefix("soma.") in AT_FIRE:
        looked |= {visit.time - 1 for visit in wave.visits(tick) if visit.last_pass}
    mask = (1 << wave.width(register)) - 1
    rtl = wave.changes(register)
    return any((_held(rtl, time + 1) ^ _held(golden, time)) & mask for time in looked)


def _held(changes: list[tuple[int, int]], time: int) -> int:
    return next((value for at, value in reversed(changes) if at <= time), 0)


def golden_wave(path: Path) -> dict[str, list[tuple[int, int]]]:
    """The golden model's signals by their names in hw/: when they change, and to what."""
    every = importlib.import_module("pywellen").Waveform(str(path)).all_vars()
    found = {}
    for each in every:
        scope, _, name = each.full_name.partition(".core.")
        if scope == "golden":
            known = [(time, value) for time, value in each.tv if isinstance(value, int)]
            found[re.sub(r"(membranes)_(\d+)", r"\1[\2]", name)] = known
    return found
