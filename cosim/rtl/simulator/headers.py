"""The spec's numbers, and the chip's pins, for the SystemVerilog and C++ around the chip."""

from cosim.rtl.design.design import Design, is_whole_chip
from cosim.rtl.played import RESET_CYCLES, STEP_END
from hw import spec
from hw.spec import ChipShape
from hw.verilog import export

# A tick may take as long as one core needs to send all fan-out entries for every neuron.
PATIENCE = 2 * spec.NEURONS << spec.FANOUT_BITS  # cycles without anything at the chip's pins


def chip_instance(shape: ChipShape, design: Design | None = None) -> str:
    """The chip in a test bench, all its pins connected: ours, or the user's."""
    module, values = export.CHIP_MODULE, ""
    if is_whole_chip(design):
        module = design.top
        values = ", ".join(f".{name}({value})" for name, value in design.parameters)
    pins = [f".{name}({name})" for name in ("clk", "rst", "go", "idle")]
    pins += [
        f".host_{way}__{row}__{signal}({way}_{signal}[{row}])"
        for row in range(shape.rows)
        for way in ("in", "out")
        for signal in ("payload", "valid", "ready")
    ]
    lines = ",\n".join(f"      {pin}" for pin in pins)
    return f"  {module} {f'#({values}) ' if values else ''}chip (\n{lines}\n  );\n"


def spec_numbers(shape: ChipShape) -> dict[str, int]:
    """The numbers of `hw.spec` that the SystemVerilog and C++ around the chip use."""
    numbers = {
        "COLUMNS": shape.columns,
        "ROWS": shape.rows,
        "AXONS": shape.axons,
        "ROW_WORDS": spec.ROW_WORDS,
        "LINE_ROWS": spec.LINE_ROWS,
        "NEURON_STRIDE": spec.NEURON_STRIDE,
        "COORD_BITS": spec.COORD_BITS,
        "FLIT_BITS": spec.FLIT.width,
        "GO_CYCLES": spec.GO_CYCLES,
        # More than all neurons can send in a tick: whoever sends so much in a step never stops.
        "MOST_ANSWERS": shape.cores * shape.dendrites * spec.FANOUT_ENTRIES,
        "RESET_CYCLES": RESET_CYCLES,
        **{f"END_{field.name.upper()}": field.offset for field in STEP_END},
        **{f"END_{field.name.upper()}_BITS": field.width for field in STEP_END},
        **{f"KIND_{kind.name}": kind.value for kind in spec.Kind},
        **{f"REGION_{region.name}": region.value for region in spec.Region},
        **{f"NEURON_{word.name}": word.value for word in spec.NeuronWord},
    }
    for field in spec.FLIT:
        numbers[f"FLIT_{field.name.upper()}"] = field.offset
        numbers[f"FLIT_{field.name.upper()}_BITS"] = field.width
    return numbers


def numbers(shape: ChipShape, design: Design | None = None) -> dict[str, int]:
    """The same, and whether a core of a user's is in the tiles."""
    return spec_numbers(shape) | {"FOREIGN_CORE": int(design is not None and design.core)}


def cpp_header(shape: ChipShape, design: Design | None = None) -> str:
    """The numbers as constants of C++, in the namespace `nc64c`."""
    lines = [f"constexpr int {name} = {value};" for name, value in numbers(shape, design).items()]
    return "\n".join(["#pragma once", "namespace nc64c {", *lines, "}", ""])


def sv_header(shape: ChipShape, design: Design | None = None) -> str:
    """The numbers as parameters of SystemVerilog."""
    lines = [f"localparam int {name} = {value};" for name, value in numbers(shape, design).items()]
    return "\n".join(["`ifndef NC64C_SPEC", "`define NC64C_SPEC", *lines, "`endif", ""])
