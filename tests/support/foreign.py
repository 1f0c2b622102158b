"""The core of tests/foreign, which is not ours, as a design."""

from pathlib import Path

from cosim.rtl.design import pins
from cosim.rtl.design.design import Design, Sources, read
from hw.spec import ChipShape

FOLDER = Path(__file__).parents[1] / "foreign"
CORE, BACK_DOOR = FOLDER / "event_core.sv", FOLDER / "event_memories.cpp"


def event_core(shape: ChipShape, *, icarus: bool = False, packs: bool = False) -> Design:
    """The core for chips of this shape; its C++ stores its memories at once.

    One that `packs` is sent the spikes of a group of axons in one flit; the core is the same.
    """
    parameters = (f"AXONS={shape.axons}", f"DENDRITES={shape.dendrites}")
    sources = Sources(
        (CORE, BACK_DOOR), "event_core", core=True, parameters=parameters, packs=packs
    )
    design = read(sources, icarus=icarus)
    pins.check(design, shape)
    return design
