"""`summary.json` has the documented keys and the right numbers."""

import json
import re
from pathlib import Path

import pytest

from cosim.record.record import LEVELS, to_json
from cosim.report.ci.summary import summary
from cosim.report.figures import mismatches
from cosim.report.page import render
from sw.common.intervals import wilson
from tests.support.records import SETS, changed, make_run

SUMMARY_KEYS = [
    "schema_version",
    "images",
    "level_images",
    "dataset",
    "network",
    "encoding",
    "weight_bits",
    "timesteps",
    "noise_bits",
    "chip",
    "sets",
    "adv_loss",
    "adv_loss_interval",
    "sample_adv_loss",
    "worst_accuracy",
    "worst_accuracy_interval",
    "rtl",
    "hardware",
]


def test_summary_has_the_documented_keys() -> None:
    found = json.loads(to_json(summary(make_run())))
    assert list(found) == SUMMARY_KEYS
    assert list(found["chip"]) == [
        "mesh",
        "axons",
        "dendrites",
        "cores_used",
        "neurons_used",
        "synapses_used",
        "mapping",
    ]
    assert list(found["sets"]) == list(SETS)
    for chosen in found["sets"].values():
        assert list(chosen) == [
            "accuracy",
            "accuracy_interval",
            "sample_accuracy",
            "spikes",
            "mismatched_spikes",
            "mismatched_membranes",
            "compared_spikes",
            "compared_membranes",
            "images_sha256",
            "zero_gradients",
        ]
        for key in ("accuracy", "accuracy_interval", "sample_accuracy"):
            assert list(chosen[key]) == list(LEVELS)
        assert all(set(counts) == {"golden", "rtl"} for counts in chosen["spikes"].values())
    for key in ("adv_loss", "adv_loss_interval", "sample_adv_loss"):
        assert list(found[key]) == list(LEVELS)
        assert all(list(losses) == list(SETS[1:]) for losses in found[key].values())
    assert list(found["rtl"]) == [
        "ticks",
        "cycles",
        "synaptic_ops",
        "wall_s",
        "images_per_s",
        "process_s",
        "build_s",
        "read_back",
        "simulator",
        "design",
        "top",
        "files",
    ]
    assert list(found["hardware"]) == [
        "clock_mhz",
        "pj_per_synaptic_op",
        "synaptic_ops_per_image",
        "cycles_per_image",
        "flits_per_image",
        "energy_nj_per_image",
        "ticks_per_s",
        "images_per_s",
        "layers",
    ]


def test_the_keys_are_those_that_the_page_describes() -> None:
    """Each key, or one above it, stands in the table of docs/summary-json.md."""
    page = (Path(__file__).parents[4] / "docs/summary-json.md").read_text()
    table = page[page.index("| key | what it is |") :]
    rows = table[: table.index("\n\n")].splitlines()[2:]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    words = {word for name in named for word in name.split(".")}
    found = summary(make_run())
    for key, value in found.items():
        assert key in words, key
        inner = value if isinstance(value, dict) and key not in ("adv_loss", "sets") else {}
        for name in inner:
            assert name in words or name in (*LEVELS, *SETS), f"{key}.{name}"


def test_summary_counts() -> None:
    changes = {
        "labels": [0, 1, 2, 3],
        "sets.clean.predictions.rtl": [0, 1, 2, 0],
        "sets.fgsm_2.predictions.rtl": [0, 0, 0, 0],
        "chip.neurons": [[5, 0, 7], [0, 1, 0]],
        "rtl.counters.synaptic_ops": [[1, 2, 3], [4, 5, 6]],
        "rtl.wall_s": 8.0,
    }
    run = changed(make_run(images=4, columns=3, rows=2), changes)
    found = summary(run)
    assert found["sets"]["clean"]["accuracy"]["rtl"] == 75.0
    assert found["adv_loss"]["rtl"]["fgsm_2"] == 50.0
    assert found["chip"]["mesh"] == "3x2"
    assert (found["chip"]["cores_used"], found["chip"]["neurons_used"]) == (3, 13)
    assert found["rtl"]["synaptic_ops"] == 21
    hardware = found["hardware"]
    assert hardware["synaptic_ops_per_image"] == round(21 / 16, 3)
    assert hardware["energy_nj_per_image"] == round(21 / 16 * 0.00264, 3)
    assert hardware["cycles_per_image"] == 5321
    assert hardware["images_per_s"] == round(100e6 / 5321, 3)
    assert hardware["ticks_per_s"] == round(7 * 100e6 / 5321, 3)
    assert hardware["layers"]["fc1"]["flits"] == round(run.rtl.layers["fc1"].flits / 16, 3)
    assert found["rtl"]["images_per_s"] == 2.0  # four images in each of four sets


def test_the_worst_case_is_over_the_clean_set_and_all_of_a_strength() -> None:
    changes = {
        "labels": [0, 1, 2, 3],
        "sets.clean.predictions.rtl": [0, 1, 2, 0],
        "sets.fgsm_8.predictions.rtl": [0, 1, 0, 3],
    }
    run = changed(make_run(images=4), changes)
    assert summary(run)["worst_accuracy"] == {level: {} for level in LEVELS}, "each has one set"
    run.sets["square_8"] = changed(run, {"sets.fgsm_8.predictions.rtl": [0, 0, 2, 3]}).sets[
        "fgsm_8"
    ]
    run.sets["own_8"] = changed(run, {"sets.fgsm_8.predictions.rtl": [9, 9, 9, 9]}).sets["fgsm_8"]
    found = summary(run)
    assert found["worst_accuracy"]["rtl"] == {"8": 25.0}
    low, high = (100 * end for end in wilson(1, 4))
    assert found["worst_accuracy_interval"]["rtl"]["8"] == [round(low, 4), round(high, 4)]
    assert "worst at 8/255<br>accuracy, %" in render(run)


def test_no_adversarial_loss_without_clean_images() -> None:
    run = make_run()
    del run.sets["clean"]
    assert summary(run)["adv_loss"] == {level: {} for level in LEVELS}


@pytest.mark.parametrize("key", ["mismatched_spikes", "mismatched_membranes", "mapping_mismatches"])
def test_every_kind_of_mismatch_counts(key: str) -> None:
    run = make_run()
    assert mismatches(run) == 0
    assert mismatches(changed(run, {f"sets.fgsm_8.{key}": 2})) == 2
