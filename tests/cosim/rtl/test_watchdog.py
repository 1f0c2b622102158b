"""A chip that never comes to rest is found, whatever its ports do meanwhile.

Stubs are a user's chip in the real test bench: one build, whose mode is the first flit.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cosim.program.errors import Mismatch
from cosim.program.stimulus import Step
from cosim.rtl.design import pins
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator, build
from hw.spec import FLIT, ChipShape, Kind
from tests.support.users_rtl import design_of

pytestmark = pytest.mark.rtl

SHAPE = ChipShape(1, 2, 64, 16)  # two ports
PATIENCE = 100  # cycles
HEALTHY, DEAF, HALF_DEAF, RESTLESS, CHATTERING, SLOW, TOO_SLOW = range(7)

# A chip that, once it knows its mode, takes a flit every `gap` cycles. `$fatal` ends a run that the
# bench would have let go on for ever.
STUB = """
module my_chip(
    input clk, input rst, input go, output idle,
    input [63:0] host_in__0__payload, input host_in__0__valid, output host_in__0__ready,
    input [63:0] host_in__1__payload, input host_in__1__valid, output host_in__1__ready,
    output [63:0] host_out__0__payload, output host_out__0__valid, input host_out__0__ready,
    output [63:0] host_out__1__payload, output host_out__1__valid, input host_out__1__ready
);
  reg [2:0] mode = 0;
  reg told = 0;
  reg [31:0] since = 0, age = 0;
  wire [31:0] gap = mode == 5 ? 90 : mode == 6 ? 120 : 0;
  wire awake = since >= gap;
  assign host_in__0__ready = !(told && mode == 1) && awake;
  assign host_in__1__ready = told && !(mode == 1 || mode == 2) && awake;
  assign idle = !(told && (mode == 3 || mode == 4));
  assign host_out__0__payload = 64'd3 << 62, host_out__1__payload = 64'd3 << 62;
  assign host_out__0__valid = 0, host_out__1__valid = told && mode == 4;
  always @(posedge clk) begin
    age <= age + 1;
    since <= (host_in__0__valid && host_in__0__ready) ? 0 : since + 1;
    if (host_in__0__valid && host_in__0__ready && !told) begin
      told <= 1;
      mode <= host_in__0__payload[2:0];
    end
    if (age > 1000000) $fatal;
  end
endmodule
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    design = design_of(tmp_path_factory.mktemp("stub"), STUB, "my_chip", core=False)
    pins.check(design, SHAPE)
    return replace(build(SHAPE, design=design), patience=PATIENCE)


def flits(port: int, *data: int) -> list[int]:
    return [FLIT.pack(kind=int(Kind.SPIKE), y0=port, y1=port, data=word) for word in data]


def steps(mode: int, *, go: bool) -> list[Step]:
    """The mode; then five flits at both ports, and a tick if `go`."""
    both = [*flits(0, *range(5)), *flits(1, *range(5))]
    words: Sequence[list[int]] = (flits(0, mode), both)
    return [Step(np.array(each, np.uint64), go=go and each is both) for each in words]


@pytest.mark.parametrize("go", [True, False])
@pytest.mark.parametrize("mode", [HEALTHY, SLOW], ids=["healthy", "slow"])
def test_a_chip_that_goes_on_is_left_alone(stub: Simulator, mode: int, go: bool) -> None:
    """90 cycles between two flits are less than the bench's patience."""
    response = RtlChip(stub).respond(steps(mode, go=go))
    assert response.ticks == go
    assert [len(each) for each in response.steps] == [0, 0]
    assert (response.cycles > 5 * 90) == (mode == SLOW)


@pytest.mark.parametrize("go", [True, False])
@pytest.mark.parametrize(
    "mode",
    [DEAF, HALF_DEAF, RESTLESS, TOO_SLOW],
    ids=["both ports wait", "one port waits", "never idle", "too slow"],
)
def test_a_chip_that_does_not_is_found(stub: Simulator, mode: int, go: bool) -> None:
    """Also while a port offers its flit all the time, which is nothing that happens."""
    message = f"the RTL hangs: the chip has not come to rest in {PATIENCE} cycles of tick 0"
    with pytest.raises(Mismatch, match=message):
        RtlChip(stub).run(steps(mode, go=go))


def test_a_chip_that_sends_without_end_is_found(stub: Simulator) -> None:
    """It is not silent, but 2 cores of 16 neurons have not more than 4096 entries for each."""
    message = r"the RTL hangs: the chip has sent 131\d\d\d flits in tick 0, and goes on"
    with pytest.raises(Mismatch, match=message):
        RtlChip(stub).run(steps(CHATTERING, go=True))
