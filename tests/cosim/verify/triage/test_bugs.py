"""Bugs put into a copy of hw/: the folder that each one leaves names it, and its wave shows it."""

from pathlib import Path

import pytest

from cosim.program.runner import Runner
from cosim.rtl.icarus import icarus
from cosim.rtl.played import Trace
from cosim.verify.case import case_file
from cosim.verify.triage.folder import triage
from tests.support.bug_list import BUGS
from tests.support.bugs import SHAPE, Bug, busy_failure, design_of, icarus_with
from tests.support.waves import parts

SOME = ("compare", "no bias", "wraps", "lfsr taps", "read-back", "sign of weights", "axon bit")

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed"),
]


def chosen(config: pytest.Config) -> tuple[Bug, ...]:
    """A few; with `--all-bugs` (`make bugs`) all."""
    return BUGS if config.getoption("--all-bugs") else tuple(b for b in BUGS if b.name in SOME)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bug" in metafunc.fixturenames:
        metafunc.parametrize("bug", chosen(metafunc.config), ids=lambda bug: bug.name)


def test_a_bug_is_named_and_seen(bug: Bug, tmp_path: Path) -> None:
    design = design_of(bug, SHAPE, tmp_path)
    found = triage(busy_failure(), lambda trace: icarus_with(design, SHAPE, trace), tmp_path)
    assert found is not None
    assert found.rule is not None, found.how
    assert found.rule.name in bug.rules, found.how
    folder = tmp_path / "mismatch"
    words = (folder / "explanation.txt").read_text()
    assert found.rule.value in words
    assert found.register in words
    case = case_file.load(folder / "replay.txt")
    assert len(case.program.cores) <= 2
    assert len(case.steps) <= len(busy_failure().steps) * 2
    assert parts(folder, found.register, max(found.tick, 0)), found.how
    if found.tick > 0:
        assert not parts(folder, found.register, found.tick - 1), found.how
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert sum(sizes) < 1 << 20, sizes
    assert {path.name for path in folder.iterdir()} == {
        *("rtl.fst", "golden.vcd", "waves.gtkw", "waves.sucl", "picture.png"),
        *("terms.txt", "explanation.txt", "replay.txt"),
    }


def test_a_recorded_run_that_answers_otherwise_is_told(tmp_path: Path) -> None:
    """Such as that of our RTL, which is right, beside an unseen one that is not."""
    (bug,) = (each for each in BUGS if each.name == "compare")
    design = design_of(bug, SHAPE, tmp_path)

    def make(trace: Trace | None) -> Runner:
        return icarus_with(None if trace else design, SHAPE, trace)

    assert triage(busy_failure(), make, tmp_path) is not None
    words = (tmp_path / "mismatch" / "explanation.txt").read_text()
    assert "rtl.fst is of a run that answered otherwise than the one explained" in words
