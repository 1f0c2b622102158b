"""The document and its verdicts, from figures alone; and the files of a run."""

import json
from functools import partial
from pathlib import Path

import pytest

from cosim.bench import suite, ticks
from cosim.bench.document import document, words
from cosim.bench.document.tables import race
from cosim.bench.document.targets import TARGETS, Target, Verdict, verdicts
from cosim.bench.measure import golden
from cosim.bench.measure.timing import per_tick, ratio, spread
from cosim.bench.mesh import noc
from cosim.bench.simulators import footprint
from cosim.rtl.icarus import icarus
from tests.support.cli import nc64c
from tests.support.figures import record
from tests.support.markdown import tables

RESULTS = Path(__file__).parents[4] / "docs" / "results" / "benchmarks"
FOOTPRINT = {
    "load": [0.25, 1.0],
    "build_s": {"cold": 90.0, "cached": 0.01},
    "load_s": {
        name: spread([0.5, 1.5, 0.75])
        for name in (footprint.EMPTY, footprint.BACK_DOOR, footprint.FRONT_DOOR)
    },
    "peak_mib": {"python": 250.0, "simulator": 99.0},
}


def test_numbers_have_three_digits() -> None:
    texts = {
        0: "0",
        1234.5: "1,230",
        150.2: "150",
        15.02: "15.0",
        0.012345: "0.0123",
        9.999: "10.00",
    }
    assert {value: words.number(value) for value in texts} == texts
    assert words.spread_text(spread([3.0, 1.0, 2.0])) == "2.00 (1.00 to 3.00)"
    assert words.spread_text(spread([3.0])) == "3.00"


def test_ratios_are_of_turns() -> None:
    assert ratio([2.0, 30.0, 4.0], [1.0, 10.0, 4.0]) == 2.0


def test_ticks_alone_are_timed() -> None:
    asked: list[int] = []
    assert per_tick(asked.append, 2, 12)() == pytest.approx(0, abs=1e-3)
    assert asked == [2, 12]


@pytest.mark.parametrize(
    ("at_most", "value", "met", "text"),
    [
        (True, 150.0, True, "met"),
        (True, 300.0, False, "not met: 2.00 times too much"),
        (False, 150.0, True, "met"),
        (False, 50.0, False, "not met: 3.00 times too little"),
        (False, 0.0, False, "not met"),
        (True, None, None, "not measured"),
    ],
)
def test_verdicts(at_most: bool, value: float | None, met: bool | None, text: str) -> None:
    target = Target("x", "rows", "ns", 150, at_most, lambda _: 0.0)
    verdict = Verdict(target, value)
    assert verdict.met is met
    assert document.verdict_text(verdict) == text


def test_what_was_left_out_has_no_verdict() -> None:
    assert all(verdict.met is None for verdict in verdicts({}))
    found = {v.target.name: v.met for v in verdicts({"footprint": FOOTPRINT, "vgg5": {}})}
    assert (found["build, cold"], found["build, cached"]) == (False, True)
    assert found["VGG5, golden model"] is None
    assert len(found) == len(TARGETS)  # no name stands twice


def test_the_document_says_what_was_measured_and_what_not() -> None:
    text = document.render(
        record(footprint=FOOTPRINT, vgg5={"skipped": "VGG5 was left out: why."}), None
    )
    assert "| build, cold | at most 30 s | 90.0 | not met: 3.00 times too much |" in text
    assert "| build, cached | at most 2 s | 0.0100 | met |" in text
    assert "VGG5 was left out: why." in text
    assert "load 0.2 and 1.0: `nc64c bench all`" in text
    assert "The mesh" not in text
    assert "{" not in text


def test_the_kept_page_is_that_of_the_kept_figures() -> None:
    """Whoever changes the page writes it anew: `cosim.bench.suite.write`."""
    kept = json.loads((RESULTS / suite.JSON).read_text())
    picture = suite.PICTURE if "noc" in kept["parts"] else None
    assert document.render(kept, picture) == (RESULTS / suite.MARKDOWN).read_text()


def test_every_table_is_whole_and_every_cell_says_something() -> None:
    """Of all figures, and of those without what a machine may lack."""
    parts = json.loads((RESULTS / suite.JSON).read_text())["parts"]
    figures = {name: part["figures"] for name, part in parts.items()}
    assert figures.keys() == set(suite.PARTS)
    layer = {key: figures["ticks"]["layer"][key] for key in ("activity", "ms_per_tick")}
    lacking = figures | {
        "ticks": figures["ticks"] | {"layer": layer | {"skipped": "PAIBox was left out."}},
        "ranc": {"skipped": "RANC was left out."},
    }
    assert "\n\n\n" not in document.render(record(**figures), suite.PICTURE)
    for these in (figures, lacking, {}, *({name: each} for name, each in figures.items())):
        found = tables(document.render(record(**these), None))
        empty = [cells for _, *rows in found for cells in rows if not all(cells)]
        assert not empty


def test_rivals_are_compared_by_their_medians() -> None:
    ms = {name: spread([value]) for name, value in (("ours", 2.0), ("a", 8.0), ("b", 4.0))}
    table = race({"ms_per_tick": ms, "times_faster": {"ours": {"a": 4.5, "b": 2.5}}})
    assert table.head == ["model", "times a", "times b", "ms a tick"]
    assert table.rows == [
        ["ours", "4.50", "2.50", "2.00"],
        ["a", "1.00", "0.500", "8.00"],
        ["b", "2.00", "1.00", "4.00"],
    ]


def test_simulators_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    layer = ticks._layer(0.1, seed=1, repeats=1)
    assert "PAIBox is not installed" in layer["skipped"]
    assert set(layer["ms_per_tick"]) == {golden.ONE, golden.MANY, golden.BATCHED}
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert not icarus.installed()


def test_paibox_does_the_same_layer() -> None:
    pytest.importorskip("paibox", reason="paibox is in the extra bench")
    layer = ticks._layer(0.1, seed=2, repeats=1)
    assert "skipped" not in layer
    assert set(layer["times_faster"][golden.ONE]) == {ticks.PAIBOX, ticks.PAIBOX_COLUMNS}


@pytest.mark.parametrize(
    ("parts", "message"), [("rows,moon", "unknown part 'moon'"), (" ,", "no part to measure")]
)
def test_unknown_parts(tmp_path: Path, parts: str, message: str) -> None:
    result = nc64c("bench", "all", "--parts", parts, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "nc64c-bench", "version": 1}'])
def test_a_record_of_something_else(tmp_path: Path, content: str) -> None:
    (tmp_path / suite.JSON).write_text(content)
    result = nc64c("bench", "all", "--parts", "vgg5", "--out", tmp_path)
    assert result.exit_code == 2
    assert "remove it, or name another folder" in result.stderr
    assert (tmp_path / suite.JSON).read_text() == content


@pytest.mark.rtl
def test_a_run_keeps_the_parts_that_it_does_not_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noc, "FRACTIONS", (0.02, 0.5))
    monkeypatch.setattr(noc, "measure", partial(noc.measure, warm_up=200, cycles=1000))
    (tmp_path / suite.JSON).write_text(json.dumps(record(footprint=FOOTPRINT)))
    nothing = ("--checkpoint", tmp_path / "no.safetensors")
    result = nc64c("bench", "all", "--parts", "noc,vgg5", "--out", tmp_path, *nothing)
    assert result.exit_code == 0, result.output
    parts = json.loads((tmp_path / suite.JSON).read_text())["parts"]
    assert parts.keys() == {"footprint", "noc", "vgg5"}
    assert parts["footprint"]["figures"] == json.loads(json.dumps(FOOTPRINT))
    text = (tmp_path / suite.MARKDOWN).read_text()
    assert "there is no no.safetensors" in text
    assert "uniform random" in text
    for name, pattern in parts["noc"]["figures"]["patterns"].items():
        first, middle, overloaded = pattern["points"]
        assert first["mean_latency"] < middle["mean_latency"], name
        assert pattern["zero_load_latency"] > 2 * pattern["mean_routers"] - 1, name
        assert overloaded["mean_latency"] is None, name
