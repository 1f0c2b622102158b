"""The golden model's wave beside the RTL's, and the files that make viewers show both."""

import io
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cosim.golden.lfsr import lfsr_run
from cosim.verify.triage.moments import Moment
from cosim.verify.triage.rules import outcome
from cosim.verify.triage.waves.wave import CYCLE, SIGNED, Visit, Wave, package

# What both chips have, by its name in hw/, and its bits.
COMMON = {
    "emitter.tick": 32,
    "soma.fire_neuron": 10,
    "soma.current": 32,
    "soma.total": 34,
    "soma.lfsr": 16,
    "soma.hit": 1,
    "soma.settled": 32,
    "soma.fired_valid": 1,
    "counters.spikes_in": 64,
    "counters.spikes_out": 64,
}
MEMBRANE_BITS = 34
AT_REST = ("soma.hit", "soma.fired_valid", "soma.settled")  # 0 while no neuron fires
ELSEWHERE = {"soma.current": "dendrites.current"}  # where the RTL's wave surely has it


@dataclass
class Lanes:
    """Signals of one chip: {name: {time: value}}."""

    values: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def put(self, name: str, time: int, value: int) -> None:
        self.values[name][time] = value


def golden_lanes(
    wave: Wave, moments: dict[int, Moment], counted: dict[int, dict[str, int]], shown: list[int]
) -> Lanes:
    """The golden model's ticks, put where the RTL does the same.

    A neuron's values stand in the cycle in which the RTL has that neuron in the same stage, its
    membrane (of the neurons `shown`) where the RTL writes it; of a neuron that the RTL leaves out,
    at the end of the tick. Counters change at the end of the tick. `moments` and `counted` are by
    tick.
    """
    lanes = Lanes()
    begins = wave.begins()
    for tick, moment in sorted(moments.items()):
        if tick not in begins:
            continue
        end = int(wave.cycles(tick)[-1])
        made = outcome(moment)
        lanes.put("emitter.tick", begins[tick], moment.tick)
        states, after = lfsr_run(moment.lfsr, moment.config.neurons)
        for name in AT_REST:
            lanes.put(name, begins[tick], 0)
        lanes.put("soma.lfsr", begins[tick], moment.lfsr)
        if tick == min(moments):
            for neuron in shown:
                lanes.put(f"soma.membranes[{neuron}]", begins[tick], int(moment.membrane[neuron]))
        visits = {v.neuron: v for v in wave.visits(tick) if v.last_pass}
        for neuron in range(moment.config.neurons):
            visit = visits.get(neuron)
            if visit is not None:
                _put_neuron(lanes, moment, visit, [*states.tolist(), after])
            if neuron in shown:
                time = end if visit is None else visit.time + CYCLE - 1
                lanes.put(f"soma.membranes[{neuron}]", time, int(made.membrane[neuron]))
        for name, value in counted.get(tick, {}).items():
            lanes.put(name, end, value)
    return lanes


def _put_neuron(lanes: Lanes, moment: Moment, visit: Visit, states: list[int]) -> None:
    made, n, start = outcome(moment), visit.neuron, visit.time - 1
    lanes.put("soma.current", start - CYCLE, int(made.current[n]))
    for name, value in (
        ("soma.fire_neuron", n),
        ("soma.total", int(made.total[n])),
        ("soma.lfsr", states[n]),
        ("soma.hit", int(made.fired[n])),
        ("soma.fired_valid", int(made.fired[n])),
        ("soma.settled", int(made.settled[n])),
    ):
        lanes.put(name, start, value)
    for name in AT_REST:
        lanes.values[name].setdefault(start + CYCLE, 0)
    lanes.values["soma.lfsr"].setdefault(start + CYCLE, states[n + 1])


def rtl_lanes(wave: Wave, names: list[str], start: int, end: int) -> Lanes:
    """The same signals of the RTL, from its wave."""
    lanes = Lanes()
    for name in names:
        if wave.full(ELSEWHERE.get(name, name)) is None:
            continue
        times, values = wave.read(ELSEWHERE.get(name, name))
        lanes.put(name, start, int(wave.at(ELSEWHERE.get(name, name), np.array([start]))[0]))
        for time, value in zip(times.tolist(), values.tolist(), strict=True):
            if start < time <= end:
                lanes.put(name, time, value)
    return lanes


def names_of(shown: list[int]) -> list[str]:
    """The signals that are put one under the other."""
    return [*COMMON, *(f"soma.membranes[{neuron}]" for neuron in shown)]


def bits(name: str) -> int:
    return COMMON.get(name, MEMBRANE_BITS)


def vcd(golden: Lanes, rtl: Lanes, names: list[str], mark: int | None) -> bytes:
    """Both chips' signals in one file, in scopes of their own, and where they first part."""
    writer_of: Any = package("vcd").VCDWriter
    out = io.StringIO()
    events: list[tuple[int, int, Any, int]] = []
    with writer_of(out, timescale="1 ns", date="", version="nc64c") as writer:
        for number, name in enumerate(names):
            for scope, lanes in (("rtl", rtl), ("golden", golden)):
                *inner, leaf = name.split(".")
                variable = writer.register_var(
                    ".".join([scope, "core", *inner]),
                    _plain(leaf),
                    "wire",
                    size=bits(name),
                    init="x",
                )
                # What is not known yet is X.
                for time, value in lanes.values.get(name, {}).items():
                    events.append((time, number, variable, value & ((1 << bits(name)) - 1)))
        differs = writer.register_var("mismatch", "first_divergence", "wire", size=1, init=0)
        if mark is not None:
            events.append((mark, len(names), differs, 1))
        for time, _, variable, value in sorted(events, key=lambda event: event[:2]):
            writer.change(variable, time, value)
    return out.getvalue().encode()


def _plain(leaf: str) -> str:
    """A name that no viewer takes for a bit of a word."""
    return re.sub(r"\[(\d+)\]", r"_\1", leaf)


def gtkw(dump: str, names: list[str], span: tuple[int, int], mark: int | None) -> bytes:
    """A save file of GTKWave: each signal of the RTL above the golden model's."""
    writer: Any = package("vcd.gtkw")
    out = io.StringIO()
    save = writer.GTKWSave(out)
    save.dumpfile(dump, abspath=False)
    save.timestart(span[0])
    save.zoom_markers(-8.0, span[0] if mark is None else mark)
    save.trace("mismatch.first_divergence", color=writer.GTKWColor.red)
    for name in names:
        form = "signed" if SIGNED.fullmatch(name) or "membranes" in name else "dec"
        save.blank(name)
        for scope, colour in (("rtl", "green"), ("golden", "yellow")):
            suffix = f"[{bits(name) - 1}:0]" if bits(name) > 1 else ""
            save.trace(
                f"{scope}.core.{_plain(name)}{suffix}",
                datafmt=form,
                color=writer.GTKWColor[colour],
                alias=f"{scope} {name}",
            )
    return out.getvalue().encode()


def surfer(dump: str, names: list[str], span: tuple[int, int], mark: int | None) -> bytes:
    """Commands of Surfer: `surfer --command-file` shows the same."""
    lines = [f"load_file {dump}", "variable_add mismatch.first_divergence"]
    for name in names:
        lines.append(f"divider_add {name}")
        lines += [f"variable_add {scope}.core.{_plain(name)}" for scope in ("rtl", "golden")]
    if mark is not None:
        lines += [f"cursor_set {mark}", f"marker_set first_divergence {mark}"]
    lines.append(f"zoom_to {span[0]}ns {span[1]}ns")
    return ("\n".join(lines) + "\n").encode()
