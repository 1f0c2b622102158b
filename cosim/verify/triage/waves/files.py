"""The files that make viewers show the golden model's wave beside the RTL's."""

import io
import re
from typing import Any

from cosim.verify.triage.waves.lanes import Lanes
from cosim.verify.triage.waves.wave import SIGNED, package
from hw.spec import COUNT_BITS

# What both chips have, by its name in hw/, and its bits; of a failure also the first wrong one.
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
OTHERS = (
    ("active", 1),
    ("axons.word", 64),
    ("counters.", 64),
    ("dendrites.count_", COUNT_BITS),
    ("emitter.flits__payload", 64),
    ("registers.", 32),
    ("sequencer.load_page", 3),
    ("soma.access__reply", 32),
    ("soma.membranes[", 34),
)
ZOOM = -5.5  # of GTKWave: 2**5.5 ns are 200 pixels, so the span fits a window of ordinary size


def names_of(shown: list[int], register: str = "") -> list[str]:
    """The signals that are put one under the other; `register` is one more ("": none)."""
    names = [*COMMON, *(f"soma.membranes[{neuron}]" for neuron in shown)]
    return names if register in (*names, "") else [*names, register]


def bits(name: str) -> int:
    """Of a signal that both chips may have. Raises `KeyError`."""
    return COMMON.get(name) or dict(OTHERS)[next(p for p, _ in OTHERS if name.startswith(p))]


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
    save.zoom_markers(ZOOM, span[0] if mark is None else mark)
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
                alias=scope,  # the line above has the signal's name
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
