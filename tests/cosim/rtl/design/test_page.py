"""docs/your-rtl.md lists the pins that are asked for, and shows waves that there are."""

import re
from pathlib import Path

import pytest

from hw.spec import ChipShape
from hw.verilog import export
from hw.verilog.export import Pin

PAGE = Path(__file__).parents[4] / "docs" / "your-rtl.md"
ROW = re.compile(r"^\| `(\w+)` \| (in|out) \| (\d+) \|", re.MULTILINE)


def listed(title: str) -> set[Pin]:
    """The pins in the table below a title; row R of a chip is row 0."""
    section = PAGE.read_text().partition(f"## The pins of a {title}\n")[2].partition("\n## ")[0]
    return {
        Pin(name.replace("R", "0"), way == "out", int(bits))
        for name, way, bits in ROW.findall(section)
    }


@pytest.mark.parametrize(
    ("title", "pins"),
    [("core", export.core_pins()), ("chip", export.chip_pins(ChipShape(1, 1, 64, 16)))],
)
def test_the_tables_have_the_pins(title: str, pins: list[Pin]) -> None:
    assert listed(title) == set(pins)
    assert len(pins) > 8
