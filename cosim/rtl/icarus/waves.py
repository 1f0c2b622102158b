"""What Icarus Verilog is told to record: the signals of hw/ where a chip has them, else its own."""

from collections.abc import Iterable
from pathlib import Path

from cosim.rtl.design.design import Design
from cosim.rtl.played import Trace
from hw.spec import ChipShape
from hw.verilog import export

FILE, INCLUDED = "waves.fst", "waves.svh"
MOST_BYTES = 1 << 19  # of a file with all signals of a user's design; its pins take less
WINDOW = """\
always @(ticks) begin
  if (ticks == {first}) $dumpon;
  if (ticks == {last} + 1) $dumpoff;
end
"""


def recordings(shape: ChipShape, trace: Trace, design: Design | None) -> list[str]:
    """The SystemVerilog that records a tile's waves, the fullest first.

    Of our own chip a tile with its membranes, from the first cycle on. A chip of a user's may be
    made from hw/, and then has the same. Of another one, all signals of the core that is looked at
    (of a chip: of all) that are no memories, in the ticks asked for; where they are too many, the
    pins alone.
    """
    tile = f"chip.tile_{trace.x}_{trace.y}.tile"
    if design is not None and design.core:
        inner = f"{tile}.core.core"
        pins = [f"{inner}.{pin.name}" for pin in export.core_pins()]
        return [_some([f"{tile}.core", f"{tile}.router"], trace), _some(pins, trace)]
    # A memory's words are named one by one.
    membranes = (f"{tile}.core.core.soma.membranes[{n}]" for n in range(shape.dendrites))
    ours = _dump([f"{tile}.core", f"{tile}.router", *membranes])
    if design is None:
        return [ours]
    pins = [f"chip.{pin.name}" for pin in export.chip_pins(shape)]
    return [ours, _some(["chip"], trace), _some(pins, trace)]


def too_large(folder: Path) -> bool:
    """Whether a run has recorded more than anybody wants to keep."""
    return (folder / FILE).exists() and (folder / FILE).stat().st_size > MOST_BYTES


def _some(names: Iterable[str], trace: Trace) -> str:
    """Recorded in the ticks that are asked for, and X before and after them."""
    off = "  $dumpoff;\n" if trace.first else ""
    return _dump(names, off) + WINDOW.format(first=trace.first, last=trace.last)


def _dump(names: Iterable[str], then: str = "") -> str:
    listed = ", ".join(names)
    return f'initial begin\n  $dumpfile("{FILE}");\n  $dumpvars(0, {listed});\n{then}end\n'
