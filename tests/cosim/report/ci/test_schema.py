"""The published schema is that of the types, and every summary there is fits it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cosim.record.record import to_json
from cosim.report.ci.schema import schema
from cosim.report.ci.summary import summary
from tests.support.records import changed, make_run

DOCS = Path(__file__).parents[4] / "docs"
SCHEMA = DOCS / "summary.schema.json"
KEPT = sorted((DOCS / "results").rglob("summary.json"))
LATER = ("worst_accuracy", "worst_accuracy_interval")  # older summaries have none
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes()))


def test_the_published_schema_is_up_to_date() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    command = ".venv/bin/python -m cosim.report.ci.schema > docs/summary.schema.json"
    assert json.loads(SCHEMA.read_bytes()) == schema(), command


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.name)
def test_every_kept_summary_fits(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_bytes()))


def test_there_are_kept_summaries() -> None:
    assert len(KEPT) >= 6


@pytest.mark.parametrize("seed", range(3))
def test_fresh_summaries_fit(seed: int) -> None:
    VALIDATOR.validate(json.loads(to_json(summary(make_run(seed)))))
    streamed = changed(make_run(seed), {"chip.mapping": "streamed", "rtl_images": 7} | cut(seed))
    VALIDATOR.validate(json.loads(to_json(summary(streamed))))


def cut(seed: int) -> dict[str, Any]:
    """Answers of the RTL for fewer images."""
    sets = make_run(seed).sets
    return {
        f"sets.{name}.predictions.rtl": chosen.predictions["rtl"][:7]
        for name, chosen in sets.items()
    }


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("schema_version", 2),
        ("images", 0),
        ("images", "200"),
        ("chip.mapping", "both"),
        ("chip.mesh", "8*8"),
        ("sets.clean.accuracy.rtl", 101),
        ("sets.clean.mismatched_spikes", -1),
        ("sets.clean.images_sha256", "0"),
        ("adv_loss.rtl.fgsm_2", None),
        ("hardware.clock_mhz", 0),
        ("rtl.design", "theirs"),
    ],
)
def test_what_is_wrong_does_not_fit(place: str, value: Any) -> None:
    document = json.loads(to_json(summary(make_run())))
    *parents, last = place.split(".")
    inside = document
    for name in parents:
        inside = inside[name]
    inside[last] = value
    assert not VALIDATOR.is_valid(document)


def test_each_key_is_wanted_and_more_are_allowed() -> None:
    document = json.loads(to_json(summary(make_run())))
    VALIDATOR.validate(document | {"later": 1})
    for key in document:
        rest = {name: value for name, value in document.items() if name != key}
        assert VALIDATOR.is_valid(rest) == (key in LATER), key
