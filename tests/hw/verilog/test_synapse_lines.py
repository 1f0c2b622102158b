"""The synapse lines in Verilog are those in Amaranth, in every cycle."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from amaranth.back import verilog

from cosim.rtl.simulator import runtime
from cosim.rtl.simulator.verilate import SOONEST, Block, scratch, verilate
from hw import spec
from hw.core.synapse_array import SynapseArray, WithInstances
from hw.verilog import export, yosys

pytestmark = pytest.mark.rtl

CYCLES = 20_000
REPLY = "access__reply"
MAIN = Path(__file__).with_name("synapse_lines.cpp")


def pair(axons: int, dendrites: int) -> str:
    """Verilog of both, and of a module `pair` that gives them the same inputs."""
    arrays = [SynapseArray(axons, dendrites) for _ in range(2)]
    with yosys.builtin():
        texts = [
            verilog.convert(array, name, platform, emit_src=False)
            for array, name, platform in zip(
                arrays, ("amaranth", "lines"), (None, WithInstances()), strict=True
            )
        ]
    pins = [("clk", "i", 1), ("rst", "i", 1)]
    pins += [(name, way, len(value)) for name, way, value in _ports(arrays[0])]
    outputs = [name for name, way, _ in pins if way == "o"]
    body = [f"  input [{width - 1}:0] {name};" for name, way, width in pins if way == "i"]
    for module in ("amaranth", "lines"):
        body += [f"  wire [{width - 1}:0] {module}_{name};" for name, w, width in pins if w == "o"]
        given = (f".{name}({name if way == 'i' else f'{module}_{name}'})" for name, way, _ in pins)
        body.append(f"  {module} {module} ({', '.join(given)});")
    unequal = {name: f"(amaranth_{name} != lines_{name})" for name in outputs}
    replies = unequal.pop(REPLY)
    counts = " + ".join(f"lines_{name}" for name in outputs if name.startswith("recent"))
    body += [
        f"  output differ; assign differ = {' | '.join(unequal.values())};",
        f"  output replies_differ; assign replies_differ = {replies};",
        f"  output [31:0] reply; assign reply = lines_{REPLY};",
        f"  output [31:0] counts; assign counts = {counts};",
    ]
    names = [name for name, way, _ in pins if way == "i"]
    head = f"module pair({', '.join([*names, 'differ', 'replies_differ', 'reply', 'counts'])});"
    return "\n".join([*texts, export.LINES.read_text(), head, *body, "endmodule", ""])


def _ports(array: SynapseArray) -> Iterator[tuple[str, str, list[int]]]:
    for name, way, value in export.ports(array):
        yield name, way, value.as_value() if hasattr(value, "as_value") else value


@pytest.mark.parametrize(("axons", "dendrites"), [(64, 16), (256, 32)])
def test_they_are_equal_in_every_cycle(axons: int, dendrites: int) -> None:
    """On random words, and on rows and axons of all ones or none."""
    facts = {
        "CYCLES": CYCLES,
        "SYNAPSE": int(spec.Region.SYNAPSE),
        "DENDRITES": dendrites,
        "LINES": dendrites // spec.LINE_ROWS,
        "ROW_WORDS": spec.ROW_WORDS,
        "WORDS": axons // spec.DATA_BITS,
        "LOADS": axons // spec.AXON_WORD_BITS,
    }
    with scratch() as work:
        (work / "pair.v").write_text(pair(axons, dendrites))
        (work / MAIN.name).write_text(MAIN.read_text())
        flags = " ".join(f"-D{name}={value}" for name, value in facts.items())
        arguments = ("--exe", "pair.v", work / MAIN.name)
        verilate(work, Block("pair", "pair", arguments, flags, str(runtime.library(work))), SOONEST)
        for seed in range(2):
            done = subprocess.run(
                [work / "pair" / "Vpair", str(seed)], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
            counted, replies = map(int, done.stdout.split())
            assert counted > CYCLES
            assert replies > CYCLES / 10


YOSYS = shutil.which("yosys")
PASSES = """
read_verilog -defer {}
hierarchy -check -top nc64c_synapse_lines -chparam AXONS 64 -chparam LINES 4 \\
    -chparam LINE_BITS 2 -chparam LOAD_BITS 1
proc
opt
memory -nomap
select -assert-count 1 t:$mem_v2
check -assert
"""


@pytest.mark.skipif(YOSYS is None, reason="Yosys is not installed")
def test_yosys_reads_them(tmp_path: Path) -> None:
    assert YOSYS is not None
    script = tmp_path / "script.ys"
    script.write_text(PASSES.format(export.LINES))
    subprocess.run([YOSYS, "-q", script], check=True)
