"""JUnit XML: cases, failures with the first mismatch, attachments in the form that CI reads."""

from pathlib import Path
from xml.etree import ElementTree

from cosim.report.ci.cases import cases
from cosim.report.ci.junit import Case, document, write
from tests.support.records import SETS, changed, make_run

FIRST = "image 3, tick 5, core (1, 2), neuron 7: spike, expected 1, got none"


def test_a_green_run_has_two_cases_a_set(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("page")
    write(tmp_path / "junit.xml", "nc64c cosim", cases(make_run(), tmp_path))
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert suite.get("tests") == root.get("tests") == str(2 * len(SETS))
    assert suite.get("failures") == "0"
    assert [case.get("name") for case in suite][:2] == [
        "clean: RTL equals golden",
        "clean: golden equals network",
    ]
    assert {case.get("classname") for case in suite} == {"nc64c.cosim.digits"}
    assert "[[ATTACHMENT|report.html]]" in (suite[0].findtext("system-out") or "").splitlines()


def test_a_failure_has_the_first_mismatch_and_its_files(tmp_path: Path) -> None:
    inside = {
        "sets.fgsm_2.mismatched_spikes": 2,
        "sets.fgsm_2.first_mismatch": FIRST,
        "sets.fgsm_8.mapping_mismatches": 9,
    }
    run = changed(make_run(), inside)
    (tmp_path / "run" / "mismatch").mkdir(parents=True)
    for name in ("run.json", "report.html", "mismatch/replay.txt", "mismatch/rtl.fst"):
        (tmp_path / "run" / name).write_text("")
    (suite,) = ElementTree.fromstring(
        document("nc64c cosim", cases(run, tmp_path / "run"), tmp_path)
    )
    failed = [case for case in suite if case.find("failure") is not None]
    assert [case.get("name") for case in failed] == [
        "fgsm_2: RTL equals golden",
        "fgsm_8: golden equals network",
    ]
    assert suite.get("failures") == "2"
    failure = failed[0].find("failure")
    assert failure is not None
    assert FIRST in (failure.get("message") or "")
    attached = (failed[0].findtext("system-out") or "").splitlines()[1:]
    assert attached == [
        "[[ATTACHMENT|run/report.html]]",
        "[[ATTACHMENT|run/run.json]]",
        "[[ATTACHMENT|run/mismatch/replay.txt]]",
        "[[ATTACHMENT|run/mismatch/rtl.fst]]",
    ]


def test_a_run_that_compared_nothing_fails(tmp_path: Path) -> None:
    run = changed(make_run(), {"sets.clean.compared_membranes": 0})
    assert cases(run, tmp_path)[0].failure == "nothing was compared"


def test_noisy_thresholds_are_not_held_against_the_network(tmp_path: Path) -> None:
    run = changed(make_run(), {"noise.bits": 3, "sets.clean.mapping_mismatches": 4})
    assert len(cases(run, tmp_path)) == len(SETS)


def test_any_text_is_xml(tmp_path: Path) -> None:
    text = "<&> \x00\x1b[31m \ud800 ]]> \U0001f41b"
    root = ElementTree.fromstring(document(text[:3], [Case(text, text, 1.5, text)], tmp_path))
    message = root[0][0][0].get("message") or ""
    assert message.startswith("<&> \N{REPLACEMENT CHARACTER}")
    assert message.endswith("]]> \U0001f41b")
    assert root[0].get("time") == "1.500"
