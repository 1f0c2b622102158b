"""`run.json` is read with suspicion; `summary.json` has the documented keys and right numbers."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from cosim import record
from cosim.record import LEVELS, Run
from sw.errors import InputError
from tests.helpers.runs import SETS, make_run

SUMMARY_KEYS = [
    "schema_version",
    "images",
    "dataset",
    "network",
    "encoding",
    "weight_bits",
    "timesteps",
    "chip",
    "sets",
    "adv_loss",
    "rtl",
]


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = make_run(seed=3)
    record.save(tmp_path, run)
    assert record.load(tmp_path) == run


def test_summary_has_the_documented_keys() -> None:
    summary = json.loads(record.to_json(record.summary(make_run())))
    assert list(summary) == SUMMARY_KEYS
    assert list(summary["chip"]) == [
        "mesh",
        "axons",
        "dendrites",
        "cores_used",
        "neurons_used",
        "synapses_used",
        "mapping",
    ]
    assert list(summary["sets"]) == list(SETS)
    for chosen in summary["sets"].values():
        assert list(chosen) == [
            "accuracy",
            "spikes",
            "mismatched_spikes",
            "mismatched_membranes",
            "compared_spikes",
            "compared_membranes",
        ]
        assert list(chosen["accuracy"]) == list(LEVELS)
        assert all(set(counts) == {"golden", "rtl"} for counts in chosen["spikes"].values())
    assert list(summary["adv_loss"]) == list(LEVELS)
    assert all(list(losses) == list(SETS[1:]) for losses in summary["adv_loss"].values())
    assert list(summary["rtl"]) == [
        "ticks",
        "cycles",
        "synaptic_ops",
        "wall_s",
        "images_per_s",
        "build_s",
        "read_back",
    ]


def test_summary_counts() -> None:
    run = make_run(images=4, columns=3, rows=2)
    run["labels"] = [0, 1, 2, 3]
    run["sets"]["clean"]["predictions"]["rtl"] = [0, 1, 2, 0]
    run["sets"]["fgsm_2"]["predictions"]["rtl"] = [0, 0, 0, 0]
    run["chip"]["neurons"] = [[5, 0, 7], [0, 1, 0]]
    run["rtl"]["counters"]["synaptic_ops"] = [[1, 2, 3], [4, 5, 6]]
    run["rtl"]["wall_s"] = 8.0
    summary = record.summary(run)
    assert summary["sets"]["clean"]["accuracy"]["rtl"] == 75.0
    assert summary["adv_loss"]["rtl"]["fgsm_2"] == 50.0
    assert summary["chip"]["mesh"] == "3x2"
    assert (summary["chip"]["cores_used"], summary["chip"]["neurons_used"]) == (3, 13)
    assert summary["rtl"]["synaptic_ops"] == 21
    assert summary["rtl"]["images_per_s"] == 2.0  # four images in each of four sets


def test_no_adversarial_loss_without_clean_images() -> None:
    run = make_run()
    del run["sets"]["clean"]
    assert record.summary(run)["adv_loss"] == {level: {} for level in LEVELS}


@pytest.mark.parametrize("key", ["mismatched_spikes", "mismatched_membranes", "mapping_mismatches"])
def test_every_kind_of_mismatch_counts(key: Any) -> None:
    run = make_run()
    assert record.mismatches(run) == 0
    run["sets"]["fgsm_8"][key] = 2  # type: ignore[literal-required]
    assert record.mismatches(run) == 2


def write(folder: Path, content: Any) -> None:
    (folder / record.RUN_FILE).write_text(json.dumps(content))


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        record.load(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        record.load(tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b"[" * 100_000])
def test_no_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / record.RUN_FILE).write_bytes(content)
    with pytest.raises(InputError, match="damaged or no JSON"):
        record.load(tmp_path)


@pytest.mark.parametrize("content", [[], {}, {"format": "other"}, None, 3])
def test_foreign_json(tmp_path: Path, content: Any) -> None:
    write(tmp_path, content)
    with pytest.raises(InputError, match="was not written by nc64c cosim"):
        record.load(tmp_path)


def test_another_version(tmp_path: Path) -> None:
    write(tmp_path, make_run() | {"version": record.VERSION + 1})
    with pytest.raises(InputError, match="run nc64c cosim again"):
        record.load(tmp_path)


def spoil(run: Run, path: str, value: Any) -> Any:
    """A copy of a run with another value at a path such as "chip.columns"."""
    spoilt: Any = copy.deepcopy(run)
    *parents, last = path.split(".")
    place = spoilt
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[int(last) if last.isdigit() else last] = value
    return spoilt


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("labels", "many"),
        ("labels", []),
        ("labels.0", 1.5),
        ("chip.columns", True),
        ("chip.columns", 7),
        ("chip.layers.0.cores", None),
        ("rtl.counters.flits.0.0", "12"),
        ("rtl.counters.flits", [[1]]),
        ("rtl.wall_s", "fast"),
        ("sets.clean.predictions.rtl", [1]),
        ("sets.clean.predictions", {}),
        ("sets.clean.first_mismatch", 5),
        ("examples.0.index", 200),
        ("examples.0.images.clean", [[256]]),
        ("examples.0.images.clean", [[1, 2], [3]]),
        ("examples.0.images.clean", []),
        ("examples.0.images.other", [[1]]),
        ("facts.extra", 1),
    ],
)
def test_damaged_parts_are_named(tmp_path: Path, path: str, value: Any) -> None:
    write(tmp_path, spoil(make_run(), path, value))
    with pytest.raises(InputError, match="damaged"):
        record.load(tmp_path)
