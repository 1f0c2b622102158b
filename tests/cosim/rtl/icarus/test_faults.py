"""What no chip may do, in Icarus Verilog: it ends the run, and the sentence says what it was."""

from pathlib import Path

import numpy as np
import pytest

from cosim.program.errors import Mismatch
from cosim.program.stimulus import Step, spike
from cosim.rtl.icarus import icarus
from cosim.rtl.played import SimulatorInput
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.users_rtl import chip_stub, design_of

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed"),
]

SHAPE = ChipShape(1, 2, 64, 16)
FLIT = np.array([spike(3, x=0, y=1)], np.uint64)
STEPS = (Step(FLIT, go=False), Step(np.zeros(0, np.uint64), go=True))
TAKES = "  assign host_in__0__ready = 1;\n  assign host_in__1__ready = 1;\n"
RESTING = "  reg rest = 1;\n  always @(posedge clk) rest <= ~(go | host_in__1__valid);\n"
HEALTHY = TAKES + RESTING + "  assign idle = rest;\n"


def play(folder: Path, body: str) -> int:
    """How many ticks a stub of a chip has got through."""
    design = design_of(folder, chip_stub(SHAPE, body=body), "my_chip", core=False)
    given = SimulatorInput(STEPS, np.array([len(STEPS)], np.int64), np.zeros(0, np.uint64))
    return icarus.play(SHAPE, given, folder, design=design, patience=100).ticks


def test_a_chip_that_comes_to_rest(tmp_path: Path) -> None:
    assert play(tmp_path, HEALTHY) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (TAKES + "  assign idle = 0;\n", "hangs: the chip has not come to rest, in cycle 1"),
        (HEALTHY.replace("1__ready = 1", "1__ready = 0"), "hangs: the chip has not come to rest"),
        (
            TAKES + "  assign idle = 0;\n  assign host_out__0__valid = 1;\n",
            "hangs: the chip sends without end",
        ),
        (TAKES + "  reg unknown;\n  assign idle = unknown;\n", "has X at idle, ready or valid"),
        (HEALTHY + "  assign host_out__1__valid = 1'bz;\n", "has X at idle, ready or valid"),
        (
            HEALTHY + "  reg [63:0] unknown;\n  assign host_out__0__payload = unknown;\n"
            "  assign host_out__0__valid = go;\n",
            "has X in a flit to the host",
        ),
    ],
    ids=["never idle", "a deaf port", "chatter", "X at idle", "Z at valid", "X in a flit"],
)
def test_a_chip_that_does_not(tmp_path: Path, body: str, words: str) -> None:
    with pytest.raises(Mismatch, match=f"the RTL {words}"):
        play(tmp_path, body)


def test_what_only_verilator_takes_is_said_in_icarus_words(tmp_path: Path) -> None:
    body = HEALTHY + "  class nothing;\n  endclass\n  nothing it = new;\n  mailbox #(int) m;\n"
    with pytest.raises(
        InputError, match=r"Icarus Verilog cannot compile the chip: .*my_chip\.sv:\d+"
    ):
        play(tmp_path, body)
