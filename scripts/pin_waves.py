#!/usr/bin/env python3
"""Draw the waves of docs/your-rtl.md from a real run: the pins of a small chip, and of its core.

usage: .venv/bin/python scripts/pin_waves.py [FOLDER]     (docs/waves unless told; writes SVGs)

The chip is built with waves, and runs two ticks of a program of two neurons. In the pictures a
stretch of cycles in which no pin of one bit changes is left out, but for its ends.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from cosim.program.handwritten import core
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read_membranes, spike
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from hw.spec import FLIT, ChipShape, Control, Kind, Region

SHAPE = ChipShape(1, 1, 64, 16)
CHIP, TILE, CORE = "tb.chip.", "tb.chip.tile_0_0.tile.", "tb.chip.tile_0_0.tile.core."
WIDTH, HIGH, ROW, NAMES, TOP = 50, 20, 34, 150, 26  # of a cycle, a signal, a row, the names; pixels
HOST_PINS = [
    *("clk", "rst", "idle", "host_in__0__valid", "host_in__0__ready", "host_in__0__payload", "go"),
    *("host_out__0__valid", "host_out__0__ready", "host_out__0__payload"),
]
CORE_PINS = [
    *("clk", "go", "idle", "inbound__valid", "inbound__ready", "inbound__payload"),
    *("outbound__valid", "outbound__ready", "outbound__payload"),
]
# Within the core's scope `go` is the register behind the pin.
SCOPES = ((CHIP, HOST_PINS), (TILE, ["go"]), (CORE, [pin for pin in CORE_PINS if pin != "go"]))
Samples = dict[str, list[int]]  # of each pin, its value in each cycle


@dataclass(frozen=True)
class Picture:
    """Some pins in the cycles from `first` to `last`."""

    name: str
    scope: str
    pins: list[str]
    first: int
    last: int


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/waves").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    samples = recorded()
    for picture in pictures(samples):
        path = folder / f"{picture.name}.svg"
        path.write_text(drawn(picture, samples))
        print(path)


def recorded() -> Samples:
    """The pins of chip and core in each cycle of a run."""
    synapses = np.zeros((2, SHAPE.axons), bool)
    synapses[0, [3, 5]] = synapses[1, 5] = True
    neurons = core(0, 0, synapses, np.array([2, 9]), trace=True)
    flits = [np.array([spike(axon, x=0, y=0) for axon in axons]) for axons in ([3, 5], [5])]
    program = Program(SHAPE, (neurons,))
    steps = [
        Step(configuration(program), go=False),
        control(SHAPE, Control.RESTART),
        *(Step(each, go=True) for each in flits),
        read_membranes(program),
    ]
    simulator = build(SHAPE, flat=True, waves=True, log=print)
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            RtlChip(simulator).run(steps)
            return sampled(Path("dump.vcd"))
        finally:
            os.chdir(here)


def sampled(path: Path) -> Samples:
    """Values behind each rising edge of the clock, which comes at odd times, once all settled."""
    names: dict[str, list[str]] = {}  # of each code
    scopes: list[str] = []
    now: dict[str, int] = {}
    samples: Samples = {}
    for line in path.read_text().splitlines():
        match line.split():
            case ["$scope", _, name, _]:
                scopes.append(name)
            case ["$upscope", _]:
                scopes.pop()
            case ["$var", _, _, code, pin, *_]:
                for scope, pins in SCOPES:
                    if f".{'.'.join(scopes)}.".endswith(f".{scope}") and pin in pins:
                        names.setdefault(code, []).append(scope + pin)
                        samples[scope + pin] = []
            case [time] if time[0] == "#" and int(time[1:]) % 2 and now:
                for full, values in samples.items():
                    values.append(now[full])
            case [bit] if bit[0] in "01":
                now |= dict.fromkeys(names.get(bit[1:], []), int(bit[0]))
            case [bits, code] if bits[0] == "b":
                now |= dict.fromkeys(names.get(code, []), int(bits[1:], 2))
    return samples | {CORE + "go": samples[TILE + "go"]}


def pictures(samples: Samples) -> Iterator[Picture]:
    taken = [
        Kind(int(FLIT.get(word, "kind"))) if valid and ready else None
        for word, valid, ready in zip(
            *(samples[f"{CHIP}host_in__0__{name}"] for name in ("payload", "valid", "ready")),
            strict=True,
        )
    ]
    spikes, reads = taken.index(Kind.SPIKE), taken.index(Kind.READ)
    end = len(taken) - 1
    yield Picture("load", CHIP, HOST_PINS, 0, spikes - 2)
    yield Picture("tick", CHIP, [p for p in HOST_PINS if p != "rst"], spikes - 1, reads - 1)
    yield Picture("read", CHIP, [p for p in HOST_PINS if p not in ("rst", "go")], reads - 1, end)
    yield Picture("core", CORE, CORE_PINS, spikes + 1, samples[CORE + "go"].index(1) + 19)


def columns(picture: Picture, samples: Samples) -> list[int | None]:
    """The cycles that are drawn; None stands for some that are left out."""
    bits = [
        samples[picture.scope + pin]
        for pin in picture.pins
        if pin != "clk" and not pin.endswith("payload")
    ]
    steps = range(picture.first, picture.last + 1)
    changes = {n for n in steps if n and any(values[n] != values[n - 1] for values in bits)}
    near = {n + d for n in changes for d in (-1, 0)} | {picture.first, picture.last}
    found: list[int | None] = []
    for n in steps:
        if n in near or (n - 1 in near and n + 1 in near):
            found.append(n)
        elif found[-1] is not None:
            found.append(None)
    return found


def drawn(picture: Picture, samples: Samples) -> str:
    shown = columns(picture, samples)
    width = NAMES + WIDTH * len(shown) + 10
    height = TOP + ROW * len(picture.pins) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_grid(shown, height),
    ]
    for number, pin in enumerate(picture.pins):
        y = TOP + ROW * number
        lines.append(f'<text x="6" y="{y + 15}" font-family="monospace">{pin}</text>')
        values = samples[picture.scope + pin]
        if pin == "clk":
            lines += _clock(shown, y)
        elif pin.endswith("payload"):
            valid = samples[picture.scope + pin.replace("payload", "valid")]
            lines += _bus(shown, values, valid, y)
        else:
            lines += _bit(shown, values, y)
    return "\n".join([*lines, "</svg>", ""])


def _grid(shown: list[int | None], height: int) -> Iterator[str]:
    for place, cycle in enumerate(shown):
        x = NAMES + WIDTH * place
        if cycle is None:
            before, after = shown[place - 1], shown[place + 1]
            count = (after or 0) - (before or 0) - 1
            yield f'<rect x="{x}" y="0" width="{WIDTH}" height="{height}" fill="#f1f1f1"/>'
            words = f"{count} more"
        else:
            yield f'<path d="M{x} 16V{height - 4}" stroke="#ddd"/>'
            words = str(cycle)
        centre = x + WIDTH / 2
        yield f'<text x="{centre}" y="12" text-anchor="middle" fill="#666">{words}</text>'


def _clock(shown: list[int | None], y: int) -> Iterator[str]:
    for place, cycle in enumerate(shown):
        x = NAMES + WIDTH * place
        if cycle is not None:
            yield (
                f'<path d="M{x} {y + HIGH}V{y}H{x + WIDTH / 2}V{y + HIGH}H{x + WIDTH}" fill="none"'
                ' stroke="#888"/>'
            )


def _bit(shown: list[int | None], values: list[int], y: int) -> Iterator[str]:
    path, before = [], None
    for place, cycle in enumerate(shown):
        value = values[cycle if cycle is not None else (shown[place - 1] or 0) + 1]
        x, level = NAMES + WIDTH * place, y + (0 if value else HIGH)
        path.append(f"M{x} {level}" if before is None else f"L{x} {before}L{x} {level}")
        path.append(f"H{x + WIDTH}")
        before = level
        if value:
            yield (
                f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HIGH}" fill="#1f77b4"'
                ' opacity=".12"/>'
            )
    yield f'<path d="{"".join(path)}" fill="none" stroke="#1f77b4" stroke-width="1.6"/>'


def _bus(shown: list[int | None], values: list[int], valid: list[int], y: int) -> Iterator[str]:
    for place, cycle in enumerate(shown):
        x = NAMES + WIDTH * place
        if cycle is None or not valid[cycle]:
            yield f'<path d="M{x} {y + HIGH / 2}H{x + WIDTH}" stroke="#bbb"/>'
            continue
        yield (
            f'<rect x="{x + 2}" y="{y - 3}" width="{WIDTH - 4}" height="{HIGH + 6}" rx="4"'
            ' fill="#fff3e0" stroke="#e08214"/>'
        )
        for line, words in enumerate(described(values[cycle])):
            yield (
                f'<text x="{x + WIDTH / 2}" y="{y + 8 + 11 * line}" text-anchor="middle"'
                f' font-size="9">{escape(words)}</text>'
            )


def described(word: int) -> tuple[str, str]:
    """A flit in two words."""
    get = {name: int(FLIT.get(word, name)) for name in FLIT.fields}
    region = Region(get["region"])
    match Kind(get["kind"]):
        case Kind.SPIKE:
            return "SPIKE", f"axon {get['data']}"
        case Kind.READ:
            return "READ", f"{get['data']} words"
        case Kind.WRITE:
            restart = region == Region.REGISTER and get["offset"] == 0
            return "WRITE", "RESTART" if restart else region.name[:8]
    if region == Region.SPIKE:
        return f"neuron {get['offset']}", f"tick {get['data']}"
    return f"v of {get['offset']}", f"= {get['data']}"


if __name__ == "__main__":
    main()
