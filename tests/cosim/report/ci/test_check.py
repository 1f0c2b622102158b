"""`nc64c check`: no regression is 0, RTL other than golden 1, a regression 4."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cosim.record import record
from cosim.record.record import RunRecord
from cosim.report.ci.check import Limits, check
from sw.common.errors import InputError
from tests.support.cli import nc64c
from tests.support.records import changed, make_run

IMAGES = 450


def losing(run: RunRecord, share: float, sets: tuple[str, ...]) -> RunRecord:
    """The run with this share of the images wrong that were right, at both levels of the chip."""
    changes: dict[str, Any] = {}
    for name in sets:
        for level in ("golden", "rtl"):
            answers = list(run.sets[name].predictions[level])
            lost = round(share * len(answers))
            for image, label in enumerate(run.labels):
                if answers[image] == label and lost:
                    answers[image], lost = (label + 1) % 10, lost - 1
            changes[f"sets.{name}.predictions.{level}"] = answers
    return changed(run, changes)


def worse(baseline: RunRecord, run: RunRecord) -> list[str]:
    return [each.what for each in check(baseline, run, Limits()) if not each.good]


@pytest.fixture
def run() -> RunRecord:
    return make_run(0, IMAGES)


def test_an_identical_run_is_no_regression(run: RunRecord) -> None:
    found = check(run, run, Limits(margin=0.01, slack=0))
    assert all(each.good for each in found)
    assert len(found) == 1 + 2 * (4 + 3) + 2


def test_two_points_of_clean_accuracy_are_caught(run: RunRecord) -> None:
    assert worse(run, losing(run, 0.02, ("clean",))) == [
        "golden, clean: accuracy",
        "rtl, clean: accuracy",
    ]


def test_two_points_of_adversarial_loss_are_caught(run: RunRecord) -> None:
    found = worse(run, losing(run, 0.02, ("fgsm_8",)))
    assert "rtl, fgsm_8: adversarial loss" in found
    assert "rtl, fgsm_8: accuracy" in found
    assert not any("fgsm_2" in each or "clean" in each for each in found)


def test_more_cycles_and_operations_are_caught(run: RunRecord) -> None:
    slow = changed(run, {"rtl.cycles": run.rtl.cycles * 102 // 100})
    assert worse(run, slow) == ["cycles per image"]
    assert worse(slow, run) == []
    grid = [[2 * ops for ops in row] for row in run.rtl.counters["synaptic_ops"]]
    assert worse(run, changed(run, {"rtl.counters.synaptic_ops": grid})) == ["nJ per image"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "mnist"}, "data set: the kept run has digits, this one mnist"),
        ({"labels.0": 11}, "other images"),
        ({"sets.clean.images_sha256": "0" * 64}, "other images"),
        ({"noise.bits": 1}, "bits of noise"),
    ],
)
def test_other_images_cannot_be_compared(
    changes: dict[str, Any], words: str, run: RunRecord
) -> None:
    with pytest.raises(InputError, match=words):
        check(run, changed(run, changes), Limits())


def folder(path: Path, run: RunRecord) -> Path:
    path.mkdir()
    record.save(path, run)
    return path


def test_the_command_and_its_exit_codes(tmp_path: Path, run: RunRecord) -> None:
    kept = folder(tmp_path / "kept", run)
    same = nc64c("check", kept / "run.json", kept)
    assert same.exit_code == 0, same.output
    assert "WORSE" not in same.output
    assert "of runs that lose 2 points, 99.9 % are caught with 450 images" in same.stdout

    lost = folder(tmp_path / "lost", losing(run, 0.02, ("clean",)))
    done = nc64c("check", kept, lost, "--junit", tmp_path / "check.xml")
    assert done.exit_code == 4, done.output
    assert "WORSE rtl, clean: accuracy: worse by 2.00 points" in done.stderr
    suite = ElementTree.parse(tmp_path / "check.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("17", "2")

    wrong = folder(tmp_path / "wrong", changed(run, {"sets.clean.mismatched_spikes": 1}))
    assert nc64c("check", kept, wrong).exit_code == 1


def test_a_summary_alone_is_refused(tmp_path: Path, run: RunRecord) -> None:
    kept = folder(tmp_path / "kept", run)
    (kept / "summary.json").write_text("{}")
    assert nc64c("check", kept / "summary.json", kept).exit_code == 0
    (tmp_path / "summary.json").write_text("{}")
    done = nc64c("check", tmp_path / "summary.json", kept)
    assert done.exit_code == 2
    assert "has no answer of each image: keep run.json" in done.stderr
    assert nc64c("check", tmp_path / "none.json", kept).exit_code == 2
    assert nc64c("check", kept, tmp_path / "none").exit_code == 2
