"""`run.json` is read with suspicion."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cosim.record import record
from cosim.report import page
from cosim.report.ci.summary import summary
from cosim.report.studies import noise, table5
from sw.common.errors import InputError
from tests.support.cli import nc64c
from tests.support.records import make_run, spoilt


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    run = make_run(seed=3)
    record.save(tmp_path, run)
    assert record.load(tmp_path) == run


def test_the_json_of_this_version_keeps_its_keys(tmp_path: Path) -> None:
    """In their order: a change of them is a new `VERSION`."""
    record.save(tmp_path, make_run())
    content = json.loads((tmp_path / record.RUN_FILE).read_text())
    rtl, facts, chip = content["rtl"], content["facts"], content["chip"]
    assert content["version"] == 6
    assert " ".join(content) == (
        "format version dataset network encoding weight_bits timesteps classes labels rtl_images"
        " noise clock_mhz chip sets examples rtl facts"
    )
    assert " ".join(content["sets"]["clean"]) == (
        "images_sha256 zero_gradients predictions spikes compared_spikes compared_membranes"
        " mismatched_spikes mismatched_membranes first_mismatch failing mapping_mismatches"
    )
    assert " ".join(rtl) == "ticks cycles process_s wall_s build_s read_back counters layers"
    assert " ".join(rtl["layers"]["fc1"]) == "cycles ticks synaptic_ops flits"
    assert " ".join(facts) == (
        "command checkpoint seed replayed rtl jobs shards shards_found started wall_s stages cpu"
        " cores versions golden"
    )
    assert " ".join(facts["rtl"]) == "simulator design top files"
    assert " ".join(chip) == (
        "columns rows axons dendrites mapping layers schedule neurons synapses"
    )
    assert " ".join(chip["layers"][0]) == "layer cores neurons dendrites axons synapses"


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


def test_an_older_version(tmp_path: Path) -> None:
    write(tmp_path, spoilt(make_run(), {"version": record.VERSION - 1}))
    with pytest.raises(InputError, match="run nc64c cosim again"):
        record.load(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("labels", "many", "$.labels (expected array, got str)"),
        ("labels", [], "$.rtl_images (expected 1 to 0, the number of labels)"),
        ("labels.0", 1.5, "$.labels[0] (expected int, got float)"),
        ("labels.0", 10, "$.labels (expected numbers below 10, of the classes)"),
        ("rtl_images", 0, "$.rtl_images (expected int >= 1)"),
        ("rtl_images", 201, "$.rtl_images (expected 1 to 200, the number of labels)"),
        ("rtl_images", 199, "$.sets.clean.predictions.rtl (expected 199 answers)"),
        ("noise.bits", None, "$.noise.bits (expected int, got null)"),
        ("noise.bits", 10**9, "$.noise.bits (expected int <= 16)"),
        ("clock_mhz", "fast", "$.clock_mhz (expected float, got str)"),
        ("clock_mhz", 0, "$.clock_mhz (expected float > 0.0)"),
        ("rtl.layers.fc1.cycles", 1.5, "$.rtl.layers.fc1.cycles (expected int | null, got float)"),
        ("chip.columns", True, "$.chip.columns (expected int, got bool)"),
        ("chip.columns", 7, "$.rtl.counters.ticks (expected 8 rows of 7, the chip's cores)"),
        ("chip.layers.0.cores", None, "$.chip.layers[0].cores (expected int, got null)"),
        ("rtl.counters.flits.0.0", "12", "$.rtl.counters.flits[0][0] (expected int, got str)"),
        ("rtl.counters.flits", [[1]], "$.rtl.counters.flits (expected 8 rows of 8"),
        ("rtl.counters", {}, "$.rtl.counters (expected flits, stalls, "),
        ("rtl.wall_s", "fast", "$.rtl.wall_s (expected float, got str)"),
        ("rtl.wall_s", 0, "$.rtl.wall_s (expected float >= "),
        ("rtl.cycles", 0, "$.rtl.cycles (expected int >= 1)"),
        ("rtl.cycles", 10**19, "$.rtl.cycles (expected int <= 9223372036854775807)"),
        ("sets", {}, "$.sets (expected one at least)"),
        ("sets.fgsm_8.predictions.rtl", [1], "$.sets.fgsm_8.predictions.rtl (expected 200"),
        ("sets.clean.predictions", {}, "$.sets.clean.predictions.float (expected 200 answers)"),
        ("sets.clean.predictions.rtl.7", -2, "$.sets.clean.predictions.rtl[7] (expected int >= -1"),
        ("sets.clean.predictions.gpu", [], "$.sets.clean.predictions (invalid enum value 'gpu')"),
        ("sets.fgsm_8.first_mismatch", 5, "$.sets.fgsm_8.first_mismatch (expected str | null"),
        ("sets.fgsm_8.spikes.fc1", {}, "$.sets.fgsm_8.spikes (expected the layers and levels"),
        ("sets.fgsm_8.spikes.fc1.rtl", None, "$.sets.fgsm_8.spikes.fc1.rtl (expected int"),
        ("examples.0.index", 200, "$.examples[0].index (expected below 200)"),
        ("examples.0.images.clean", [[256]], "$.examples[0].images.clean (expected rows of pixels"),
        ("examples.0.images.clean", [[1, 2], [3]], "$.examples[0].images.clean (expected rows"),
        ("examples.0.images.clean", [], "$.examples[0].images.clean (expected rows"),
        ("examples.0.images.other", [[1]], "$.examples[0].images (expected sets of the run)"),
        ("facts.extra", 1, "$.facts (object contains unknown field extra)"),
        ("facts.versions", {}, "$.facts.versions (expected nc64c's among them)"),
        ("facts.x` - at `$.sets[...].y", 1, "is damaged at "),
    ],
)
def test_damaged_parts_are_named(tmp_path: Path, path: str, value: Any, place: str) -> None:
    names = path.split(".") if "`" not in path else ["facts", path.removeprefix("facts.")]
    content = spoilt(make_run(), {})
    part = content
    for name in names[:-1]:
        part = part[int(name) if name.isdigit() else name]
    part[int(names[-1]) if names[-1].isdigit() else names[-1]] = value
    write(tmp_path, content)
    with pytest.raises(InputError, match=re.escape(place)) as error:
        record.load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert str(error.value).endswith(": run nc64c cosim again")


def test_the_place_is_named_though_other_parts_are_damaged_too(tmp_path: Path) -> None:
    changes = {"sets.fgsm_8.mismatched_spikes": "x", "rtl.layers.fc1.flits": "x", "facts.cpu": 3}
    write(tmp_path, spoilt(make_run(), changes))
    with pytest.raises(InputError, match=r"at \$\.sets\.fgsm_8\.mismatched_spikes \("):
        record.load(tmp_path)


def leaves(part: Any, path: str = "") -> Iterator[str]:
    """Paths of all parts, of a list the first and the last one's."""
    if path:
        yield path.removeprefix(".")
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(part, list):
        for number in sorted({0, len(part) - 1} if part else ()):
            yield from leaves(part[number], f"{path}.{number}")


VALUES: tuple[Any, ...] = (math.nan, 0, -1, 1e308, 1e-308, 2**63 - 1, "", None, [], {})


@pytest.mark.slow
def test_no_value_anywhere_is_a_fault_of_the_program(tmp_path: Path) -> None:
    """Each part of a record in turn: it is refused in one sentence, or all documents are made."""
    run = make_run(images=1, columns=1, rows=1)
    for name in ("fgsm_2", "fgsm_16"):
        del run.sets[name], run.examples[0].images[name]
    refused = made = 0
    for path in leaves(spoilt(run, {})):
        for value in VALUES:
            write(tmp_path, spoilt(run, {path: value}))
            try:
                found = record.load(tmp_path)
            except InputError:
                refused += 1
                continue
            try:
                page.render(found)
                record.to_json(summary(found))
                record.to_json(noise.as_json([found]))
                noise.as_markdown([found])
                record.to_json(table5.as_json(found))
            except InputError:
                refused += 1
            except Exception as error:
                raise AssertionError(f"{path}: {value}") from error
            made += 1
    assert refused > 1000
    assert made > 100


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("rtl.wall_s", 0, "$.rtl.wall_s (expected float >= "),
        ("rtl.wall_s", math.nan, "damaged or no JSON"),
        ("clock_mhz", math.inf, "damaged or no JSON"),
        ("noise.share", 1e300, "$.noise.share"),
    ],
)
def test_a_hand_edited_run_is_refused_in_one_sentence(
    tmp_path: Path, path: str, value: float, words: str
) -> None:
    write(tmp_path, spoilt(make_run(), {path: value}))
    result = nc64c("report", tmp_path)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == [record.RUN_FILE]
