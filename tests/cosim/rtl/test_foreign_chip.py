"""A whole chip of a user's, a netlist of one flat module, in Verilator and in Icarus Verilog.

The netlist is ours, gone through Yosys: one module without a process is left.
"""

from pathlib import Path

import numpy as np
import pytest
from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil

from cosim.golden.chip import GoldenChip
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.rtl import choice
from cosim.rtl.choice import Simulator
from cosim.rtl.design.design import Sources
from cosim.rtl.icarus import icarus
from cosim.verify.random.programs import random_program, random_steps
from hw.chip import Chip
from hw.spec import ChipShape
from hw.verilog import yosys
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

SHAPE = ChipShape(2, 1, 64, 16)
PASSES = "hierarchy -top users_chip\nproc\nflatten\nopt\n"


@pytest.fixture(scope="module")
def netlist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("netlist") / "netlist.v"
    with yosys.builtin():
        text = rtlil.convert(Chip(SHAPE), name="users_chip", emit_src=False)
        script = f"read_rtlil <<rtlil\n{text}\nrtlil\n{PASSES}write_verilog -noattr\n"
        path.write_text(find_yosys(lambda version: True).run(["-q", "-"], script))
    return path


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_a_netlist_is_the_golden_model(netlist: Path, simulator: Simulator) -> None:
    if simulator == "icarus" and not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    assert netlist.read_text().count("\nmodule ") == 1
    chosen = choice.choose(Sources((netlist,), "users_chip"), simulator, SHAPE)
    chip = choice.runner_of(chosen, SHAPE)
    for seed in range(2):
        rng = np.random.default_rng(seed)
        program = random_program(rng, SHAPE)
        steps = random_steps(rng, program, ticks=6)
        golden = GoldenChip(SHAPE)
        golden.run([Step(configuration(program), go=False)])
        [found] = chip.run(program, [steps]).responses
        assert_equal(golden.run(steps), found, f"{simulator}, seed {seed}")
