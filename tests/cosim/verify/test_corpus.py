"""Small cases that once went wrong, or might: golden model, reference and RTL agree on each.

`nc64c replay tests/corpus/NAME.txt` repeats one of them.
"""

from pathlib import Path

import pytest

from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.rtl.runner import verilated
from cosim.verify.case import case_file
from cosim.verify.case.case import joined, run_case
from cosim.verify.random.programs import SMALL
from cosim.verify.reference import ReferenceChip
from tests.support.chips import assert_equal

FILES = sorted((Path(__file__).parents[2] / "corpus").glob("*.txt"))


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 13


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_model_and_reference(path: Path) -> None:
    case = case_file.load(path)
    assert case.comment
    steps = [Step(configuration(case.program), go=False), *case.steps]
    golden = GoldenChip(case.shape).run(steps)
    assert_equal(ReferenceChip(case.shape).run(steps), golden, path.stem)
    assert_equal(golden[1:], run_case(case, GoldenRunner()), f"{path.stem}, as a runner")
    assert sum(map(len, golden)) > 0, "nothing is compared"


@pytest.mark.rtl
def test_golden_model_and_rtl() -> None:
    """All of one shape, in one process and so one after the other, as in a fuzzing batch."""
    cases = [case_file.load(path) for path in FILES]
    assert {case.shape for case in cases} == {SMALL}
    case, places = joined(cases)
    expected = run_case(case, GoldenRunner())
    got = run_case(case, verilated(SMALL, front_door=True))
    for path, place in zip(FILES, places, strict=True):
        steps = slice(place.start, place.stop)
        assert_equal(expected[steps], got[steps], path.stem)
