"""Bugs put into a copy of hw/: fuzzing finds each, and makes the case small."""

from pathlib import Path

import pytest
from rich.console import Console

from cosim.rtl.icarus import icarus
from cosim.verify.case import case_file
from cosim.verify.fuzz import campaign
from cosim.verify.fuzz.campaign import Campaign
from cosim.verify.fuzz.trial import Trial
from hw.spec import ChipShape
from sw.common.progress import Progress
from tests.support.as_rtl import Right
from tests.support.bug_list import BUGS, LOADED_ROUTER_BUGS
from tests.support.bugs import Bug, design_of, icarus_with

PAIR = ChipShape(2, 1, 64, 16)
SEED = 1
CORE_BUGS = tuple(bug for bug in BUGS if bug.name in ("compare", "axon bit", "read-back"))

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed"),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One bug of a router; with `--all-bugs` (`make bugs`) both, and some of a core.

    The mesh has one row, so none of those that take a flit north or south are among them.
    """
    if "bug" in metafunc.fixturenames:
        every = bool(metafunc.config.getoption("--all-bugs"))
        bugs = (*LOADED_ROUTER_BUGS, *CORE_BUGS) if every else LOADED_ROUTER_BUGS[:1]
        metafunc.parametrize("bug", bugs, ids=lambda bug: bug.name)


def test_a_bug_is_found_and_made_small(
    bug: Bug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chip = icarus_with(design_of(bug, PAIR, tmp_path), PAIR, None)
    monkeypatch.setattr(campaign, "chip", lambda choice, shape: chip)
    monkeypatch.setattr(campaign, "BATCH_CASES", 4)  # Icarus is slow
    with Progress(Console(), shown=False) as progress:
        found = campaign.run(Campaign(SEED, count=40, shapes=(PAIR,)), progress)
    assert found.case is not None, f"{bug.name}: {found.cases} cases of seed {SEED} pass"
    text = case_file.dumps(found.case)
    assert len(found.case.program.cores) <= 2, text
    assert len(found.case.steps) <= 3, text
    assert len(text.splitlines()) <= 20, text
    again = case_file.loads(text, "text")
    assert Trial(chip).difference(again) == found.difference
    assert Trial(Right()).difference(again) == ""


@pytest.mark.parametrize("shape", [ChipShape(1, 1, 64, 16), ChipShape(3, 2, 64, 32)])
def test_chips_of_other_sizes(shape: ChipShape, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `nc64c fuzz` draws for them in turn: our RTL is the golden model there too."""
    monkeypatch.setattr(campaign, "chip", lambda choice, shape: icarus.runner(shape))
    monkeypatch.setattr(campaign, "BATCH_CASES", 1)
    with Progress(Console(), shown=False) as progress:
        found = campaign.run(Campaign(SEED, count=1, shapes=(shape,)), progress)
    assert found.case is None, f"seed {SEED}: {found.difference}"
    assert found.cases == 1
