"""Writes the bench: bench.sv, stimulus.txt, expected.txt, and a README with the commands."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.golden.chip import GoldenChip
from cosim.program.program import host_port
from cosim.program.stimulus import Step
from cosim.verify.takeaway.network import network_steps
from hw.spec import FLIT, GO_CYCLES, ChipShape
from sw.common.templates import environment, markdown

STIMULUS, EXPECTED, BENCH, README = "stimulus.txt", "expected.txt", "bench.sv", "README.md"
MAKE = (  # what Verilator's makefile wants to know of g++, unless it was configured
    "CFG_CXXFLAGS_STD=-std=gnu++20 CFG_CXXFLAGS_COROUTINES=-fcoroutines "
    "CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-pthread"
)
PATIENCE = 1_000_000  # cycles in which nothing comes or goes, after which the chip hangs


def write_bench(shape: ChipShape, folder: Path, chip: Sequence[str]) -> list[Path]:
    """Writes the bench of a chip into an existing folder; the files.

    `chip` are the chip's Verilog files and waivers, as the README is to name them from there.
    """
    steps = network_steps(shape)
    responses = GoldenChip(shape).run(steps)
    values = {
        "rows": shape.rows,
        "columns": shape.columns,
        "bits": FLIT.width,
        "go_cycles": GO_CYCLES,
        "patience": PATIENCE,
        "most": max(len(flits) for flits in responses) + 1,
        "steps": len(steps),
        "ticks": sum(step.go for step in steps),
        "responses": sum(len(flits) for flits in responses),
        "fields": [(field.name, field.offset, field.width) for field in FLIT],
        "verilog": " ".join(name for name in chip if name.endswith(".v")),
        "all": " ".join(chip),
        "make": MAKE,
    }
    templates = environment("cosim.verify.takeaway")
    texts = {
        BENCH: templates.get_template("bench.sv.j2").render(values) + "\n",
        STIMULUS: stimulus_text(steps),
        EXPECTED: expected_text(responses),
        README: markdown(templates, "README.md.j2", **values),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def stimulus_text(steps: Sequence[Step]) -> str:
    """A line a flit, `send ROW FLIT`, and behind each step `tick` or `wait`."""
    lines = []
    for step in steps:
        rows = host_port(step.flits).tolist()
        flits = step.flits.tolist()
        lines += [f"send {row} {flit:016x}" for row, flit in zip(rows, flits, strict=True)]
        lines.append(f"{'tick' if step.go else 'wait'} 0 0")
    return "\n".join(lines) + "\n"


def expected_text(responses: Sequence[NDArray[np.uint64]]) -> str:
    """A line a flit, `flit FLIT`, ascending, and `step` behind each step."""
    lines = []
    for flits in responses:
        lines += [f"flit {flit:016x}" for flit in np.sort(flits).tolist()]
        lines.append("step 0")
    return "\n".join(lines) + "\n"
