"""`nc64c cosim` as a person runs it: a process of its own, real RTL on a small chip, and Ctrl-C."""

import json
import signal
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.support.processes import Run, foreign_packages

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into /proc"),
]

SCHEMA = Path(__file__).parents[3] / "docs/summary.schema.json"


def test_rtl_equals_golden(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    run = Run(
        tmp_path, "--images", "4", "--sets", "clean,fgsm_16", "--jobs", "2", "--junit", str(junit)
    )
    code, stdout, stderr = run.finish()
    assert (code, stderr) == (0, "")
    assert "RTL equals golden" in stdout
    suite = ElementTree.parse(junit).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
    summary = json.loads((run.out / "summary.json").read_text())
    jsonschema.validate(summary, json.loads(SCHEMA.read_bytes()))
    assert summary["rtl"]["ticks"] == 8 * 6
    for chosen in summary["sets"].values():
        assert chosen["mismatched_spikes"] == chosen["mismatched_membranes"] == 0
        assert all(counts["rtl"] > 0 for counts in chosen["spikes"].values())


def test_foreign_packages_of_our_names_are_passed_over_by_all_processes(tmp_path: Path) -> None:
    """By worker processes and the simulators' Python too, which inherit where modules are found."""
    foreign = foreign_packages(tmp_path / "foreign")
    options = ("--images", "2", "--sets", "clean,fgsm_16", "--jobs", "2")
    run = Run(tmp_path, *options, cwd=foreign, PYTHONPATH=str(foreign))
    code, stdout, stderr = run.finish()
    assert (code, stderr) == (0, "")
    assert "RTL equals golden" in stdout


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_rtl(tmp_path: Path, how: signal.Signals) -> None:
    run = Run(tmp_path, "--images", "450", "--sets", "clean", "--jobs", "2")
    run.wait_until(lambda: run.others().count("Vtop") == 2)
    run.process.send_signal(how)
    code, stdout, stderr = run.finish()
    assert code == 130
    assert stdout == ""
    assert stderr.startswith("Interrupted; ")
    assert "Finished: Verilator build" in stderr
    assert run.others() == []
    assert {path.name for path in run.out.glob("*")} <= {"images", "shards"}


def test_interrupted_in_the_build(tmp_path: Path) -> None:
    cache, scratch = tmp_path / "cache", tmp_path / "scratch"
    scratch.mkdir()
    run = Run(tmp_path, NC64C_CACHE=str(cache), TMPDIR=str(scratch))
    run.wait_until(lambda: "cc1plus" in run.others())
    run.process.send_signal(signal.SIGINT)
    code, _, stderr = run.finish()
    assert (code, stderr) == (130, "Interrupted; nothing was written. Finished: nothing.\n")
    assert run.others() == []
    assert list(scratch.iterdir()) == []
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []
