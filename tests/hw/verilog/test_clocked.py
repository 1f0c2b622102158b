"""Registers that say themselves when they change."""

import re

import pytest

from hw.spec import ChipShape
from hw.verilog import clocked, export

TRIGGER = "\\$auto$verilog_backend.cc:2355:dump_module$1 "
MODULE = f"""module counter(clk, go, reset, out);
  reg {TRIGGER};
  initial {TRIGGER} <= 1'b0;
  input clk;
  reg [3:0] \\$1 ;
  reg [3:0] count = 4'h0;
  always @(posedge clk)
    count <= \\$1 ;
  always @* begin
    if ({TRIGGER}) begin end
    \\$1  = count;
    if (go) begin
      \\$1 [1:0] = 2'h2;
    end
    if (reset) begin
      \\$1  = 4'h0;
    end
  end
endmodule
"""
CLOCKED = """module counter(clk, go, reset, out);
  input clk;
  reg [3:0] count = 4'h0;
  always @(posedge clk) begin
    if (go) begin
      count [1:0] <= 2'h2;
    end
    if (reset) begin
      count <= 4'h0;
    end
  end
endmodule
"""


def test_a_next_value_goes_into_its_register() -> None:
    assert clocked.clocked(MODULE) == CLOCKED


@pytest.mark.parametrize(
    "other",
    [
        "  assign out = \\$1 ;\n",  # another reader
        "  always @* begin\n"
        f"    if ({TRIGGER}) begin end\n"
        "    \\$1  = \\$1  + 4'h1;\n"
        "  end\n",  # it reads itself
    ],
)
def test_a_next_value_that_is_read_elsewhere_stays(other: str) -> None:
    text = MODULE.replace("endmodule\n", f"{other}endmodule\n")
    assert clocked.clocked(text) == text


def test_a_value_that_two_share_stays() -> None:
    text = MODULE.replace("    \\$1  = count;\n", "    \\$1  = count;\n    other = 1'h0;\n")
    assert clocked.clocked(text) == text


def test_each_module_has_names_of_its_own() -> None:
    other = MODULE.replace("counter", "another").replace("\\$1 ;", "\\$2 ;")
    assert clocked.clocked(MODULE + other) == CLOCKED + other


def test_no_register_of_a_tile_copies_a_next_value() -> None:
    text = export.tile_verilog(ChipShape(1, 1, 64, 16))
    for module in text.split("endmodule"):
        computed = {found[1] for found in re.finditer(r"^ +(\\\$\d+ )= ", module, re.MULTILINE)}
        copied = {found[1] for found in re.finditer(r"<= (\\\$\d+ );", module)}
        assert not computed & copied
    assert len(re.findall(r"always @\(posedge clk\) begin", text)) > 100
