"""The conformance kit: right RTL passes every check, and a mistake fails the check of its rule."""

from pathlib import Path

import numpy as np
import pytest

from cosim.program.runner import Runner
from cosim.rtl.choice import OURS, runner_of
from cosim.rtl.design.design import Sources, read
from cosim.rtl.icarus import icarus
from cosim.verify.case import case_file
from cosim.verify.kit import results
from cosim.verify.kit.kit import CHECKS, Verdict, verdicts
from cosim.verify.random.programs import SMALL
from hw.spec import ChipShape
from tests.support.bug_list import BUGS as HW_BUGS
from tests.support.bugs import Bug, design_of, icarus_with
from tests.support.foreign import CORE, FOLDER

pytestmark = pytest.mark.rtl

PAIR = ChipShape(2, 1, 64, 16)  # of the broken cores
TALL = ChipShape(1, 2, 64, 16)  # of broken copies, which go from row to row
SEED = 0

# A mistake in tests/foreign: what was there, what stands there instead, the check that must fail.
BUGS = (
    ("v - (v >>> leak[4:0])", "v - (v >> leak[4:0])", "leak"),
    ("v - (v >>> leak[4:0])", "v - (v >>> leak[3:0])", "leak"),
    ("fired = v >= limit", "fired = v > limit", "threshold"),
    ("v = saturated(v - limit)", "v = v - limit", "threshold"),
    ("lfsr & noise_mask", "lfsr | noise_mask", "noise"),
    ("16'hb400", "16'ha400", "noise"),
    ("lfsr <= start;", "", "noise"),
    ("-34'sd2147483648 ? -34'sd2147483648", "-34'sd2147483648 ? -34'sd2147483647", "saturate"),
    ("if (v < $signed(lowest)) v", "if (0) v", "floor"),
    ("if (data[12:10] >> page_shift == 0) arrive", "arrive", "pages"),
    ("tick < last_tick", "tick <= last_tick", "window"),
    ("first_tick <= tick", "first_tick < tick", "window"),
    ("      tick <= 0;", "", "restart"),
    ("arrived[1] <= 0;\n      turn", "turn", "restart"),
    ("if (turn == DENDRITES - 1) state", "if (turn == DENDRITES / 2 - 1) state", "neurons"),
    ("if (!seen[{half, spike[12:10]}][spike[9:0]])", "if (1)", "restart"),
    ("sender, now});\n          trace_due", "sender, tick});\n          trace_due", "host"),
    ("entries <= entries - 1;", "entries <= entries == 1 ? 0 : entries - 2;", "fan-out"),
    ("fanout[entry][24:13]", "fanout[entry][24:16], 3'd0", "every way"),
    ("(f * neurons + n) * planes + p", "f * neurons * planes + p * neurons + n", "integrate"),
    ("$signed(weight[p])", "$signed({1'b0, weight[p]})", "integrate"),
    ("$clog2(AXONS) + 1;", "$clog2(AXONS);", "saturate"),
    ("carry = column[spike[9:0]]", "carry = column[spike[9:0] ^ (spike[9:0] == 63)]", "every axon"),
    ("spikes_out + fired", "spikes_out + 1", "counters"),
    ("met = met + count", "met = met + (count != 0)", "counters"),
    ("if (outbound__ready) outbound__valid <= 0;", "outbound__valid <= 0;", "back-pressure"),
    ("last_tick <= 32'hffffffff", "last_tick <= 32'h7fffffff", "reset"),
    ("lowest <= 32'h80000000", "lowest <= 32'h80000001", "reset"),
)


def places(old: str) -> list[Path]:
    """The files of the second core that have it; a mistake changes one."""
    return [path for path in (CORE, *FOLDER.glob("*.svh")) if old in path.read_text()]


def broken_core(folder: Path, old: str, new: str) -> Runner:
    """The second core with a mistake, in Icarus Verilog, which needs no build."""
    if not icarus.installed():
        pytest.skip("Icarus Verilog is not installed")
    [changed] = places(old)
    for path in (CORE, *FOLDER.glob("*.svh")):
        text = path.read_text()
        (folder / path.name).write_text(text.replace(old, new, 1) if path == changed else text)
    parameters = (f"AXONS={PAIR.axons}", f"DENDRITES={PAIR.dendrites}")
    sources = Sources((folder / CORE.name,), "event_core", core=True, parameters=parameters)
    return icarus.runner(PAIR, read(sources, icarus=True))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One mistake in four; with `--all-bugs` (`make bugs`) all, and those of hw/."""
    every = bool(metafunc.config.getoption("--all-bugs"))
    if "old" in metafunc.fixturenames:
        metafunc.parametrize(("old", "new", "name"), BUGS if every else BUGS[::4])
    if "bug" in metafunc.fixturenames:
        metafunc.parametrize("bug", HW_BUGS if every else (), ids=lambda bug: bug.name)


def test_each_mistake_has_its_place_in_the_second_core() -> None:
    for old, _, _ in BUGS:
        assert len(places(old)) == 1, old


def test_a_mistake_fails_the_check_of_its_rule(
    old: str, new: str, name: str, tmp_path: Path
) -> None:
    [check] = [each for each in CHECKS if each.name == name]
    [verdict] = verdicts(PAIR, broken_core(tmp_path, old, new), SEED, [check])
    assert not verdict.passed, f"{new!r} for {old!r} passes {name}"
    assert verdict.difference
    assert verdict.case is not None
    results.save(tmp_path, [verdict], "the event core")
    kept = case_file.load(tmp_path / verdict.file)
    assert check.rule in kept.comment
    assert len(kept.steps) == len(verdict.case.steps)


def test_a_bug_of_hw_fails_a_check(bug: Bug, tmp_path: Path) -> None:
    """The bugs that triage names, in our own RTL: the kit finds each."""
    shape = TALL if "ROUTING" in bug.rules else PAIR
    rtl = icarus_with(design_of(bug, shape, tmp_path), shape, None)
    failed = next((each for each in verdicts(shape, rtl, SEED) if not each.passed), None)
    assert failed is not None, f"{bug.name} passes the kit"
    print(f"{bug.name}: {failed.check.name}, {failed.check.rule}: {failed.reason}")


def test_the_second_core_passes_without_a_mistake(tmp_path: Path) -> None:
    found = list(verdicts(PAIR, broken_core(tmp_path, "CLEAR", "CLEAR"), SEED))
    assert_passed(found)


def test_ours_passes() -> None:
    assert_passed(list(verdicts(SMALL, runner_of(OURS, SMALL, front_door=True), SEED)))


def assert_passed(found: list[Verdict]) -> None:
    failed = [f"{each.check.name}: {each.reason}" for each in found if not each.passed]
    assert not failed, "\n".join(failed)
    assert [each.check for each in found] == list(CHECKS)


@pytest.mark.parametrize(
    "shape", [ChipShape(1, 1, 64, 16), ChipShape(1, 2), ChipShape(8, 8, 64, 16)]
)
def test_there_are_cases_for_every_chip(shape: ChipShape) -> None:
    """Also the smallest, and one with cores of full size; no flit goes outside."""
    for check in CHECKS:
        cases = list(check.cases(shape, np.random.default_rng(SEED)))
        assert cases, check.name
        assert all(case.steps for case in cases), check.name
