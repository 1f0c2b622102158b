"""`nc64c import` and `nc64c run`: from a NIR file to golden model and RTL."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from cosim.rtl import choice
from hw.spec import FLIT, Region
from sw.common.errors import InputError
from tests.support.cli import nc64c
from tests.support.nir_graphs import TIMESTEPS, Drawn
from tests.support.subjects import FakeRtl, Responses

CHIP = ("--mesh", "2x2", "--axons", "128", "--dendrites", "64")


def _drawn(folder: Path, seed: int) -> tuple[Path, Path]:
    """A NIR file, and inputs for it."""
    drawn = Drawn(seed)
    nir.write(folder / "net.nir", drawn.graph)
    spikes = drawn.spikes(3)
    np.savez(folder / "in.npz", spikes=spikes, labels=np.arange(len(spikes)) % 3)
    return folder / "net.nir", folder / "in.npz"


def _imported(folder: Path, seed: int) -> tuple[Path, Path]:
    file, inputs = _drawn(folder, seed)
    out = folder / "out"
    options = ("--timesteps", TIMESTEPS, "--dt", "1e-3", "--out", out)
    done = nc64c("import", file, *options, "--sample", inputs)
    assert done.exit_code == 0, done.output
    assert "what each change costs" in done.output
    document = json.loads((out / "contract.json").read_text())
    names = [each["step"] for each in document["steps"]]
    assert names == ["file", "leak", "weights", "thresholds", "integer"]
    assert len({json.dumps(each["spikes"]) for each in document["steps"]}) == 1
    return out / "network.safetensors", inputs


@pytest.mark.parametrize("seed", range(3))
def test_through_the_golden_model(seed: int, tmp_path: Path) -> None:
    network, inputs = _imported(tmp_path, seed)
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "integer = golden: 0 mismatches" in done.output
    document = json.loads((tmp_path / "run/own.json").read_text())
    [document] = document["sets"].values()
    assert document["rtl"] is None
    assert len(document["predictions"]["golden"]) == 3


def test_the_levels_are_of_the_first_inputs(tmp_path: Path) -> None:
    """Golden model and RTL get all; the table compares what went through all levels."""
    network, inputs = _imported(tmp_path, 2)
    command = ("run", network, inputs, *CHIP, "--golden-only", "--out", tmp_path / "run")
    whole, part = (
        (nc64c(*command, *more), json.loads((tmp_path / "run/own.json").read_text())["sets"])
        for more in ((), ("--levels", 2))
    )
    assert whole[0].exit_code == part[0].exit_code == 0
    [one], [two] = whole[1].values(), part[1].values()
    assert (one["inputs"], one["level_inputs"]) == (3, 3)
    assert (two["inputs"], two["level_inputs"]) == (3, 2)
    assert one["predictions"] == two["predictions"]
    assert {each["same"] for each in two["levels"]} == {2}
    assert "2 of 2" in part[0].output
    totals = [sum(each["levels"][-1]["spikes"].values()) for each in (one, two)]
    assert 0 < totals[1] < totals[0] == sum(one["spikes"]["golden"].values())
    assert "the first 2 inputs" in (tmp_path / "run/report.html").read_text()


def test_the_page_of_a_run(tmp_path: Path) -> None:
    """Level by level from the file on, here all alike; and the contract. Whole, and plain HTML."""
    network, inputs = _imported(tmp_path, 2)
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    [one] = json.loads((tmp_path / "run/own.json").read_text())["sets"].values()
    names = [each["level"] for each in one["levels"]]
    assert names == ["file", "leak", "weights", "thresholds", "integer", "golden"]
    assert {each["same"] for each in one["levels"]} == {3}
    assert "same answers" in done.output
    counts = {name: one["levels"][0]["spikes"][name] for name in one["spikes"]["golden"]}
    assert counts == one["spikes"]["golden"]
    page = (tmp_path / "run/report.html").read_text()
    for words in (
        "The RTL did not run",
        "drawn.nir",
        "What the import changed",
        "as its file says",
    ):
        assert words.replace("drawn", "net") in page, words
    assert "http" not in page.replace("http-equiv", "")


def test_floats_beside_that_are_not_right(tmp_path: Path) -> None:
    network, inputs = _imported(tmp_path, 0)
    floats, out = tmp_path / "out/floats.safetensors", tmp_path / "run"
    arguments = ("run", network, inputs, *CHIP, "--golden-only", "--out", out)
    whole = floats.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    _imported(other, 1)
    for content, words in (
        (whole[:-9], "is truncated"),
        (whole.replace(rb"\"late\": false", rb"\"late\": 12345"), "is damaged at $.layers[0].late"),
        (whole.replace(rb"\"reset\": \"zero", rb"\"reset\": \"zerx"), "is damaged at $."),
        (whole.replace(rb"\"spiking\": true", rb"\"spiking\": null"), "is damaged at $."),
        (whole.replace(rb"\"sources\": [\"n", rb"\"sources\": [\"x"), "its layers are others"),
        (b"nothing", "is not a file of floats"),
        ((other / "out/floats.safetensors").read_bytes(), "is of another network than"),
    ):
        assert content != whole
        floats.write_bytes(content)
        done = nc64c(*arguments)
        assert done.exit_code == 2, done.output
        assert words in " ".join(done.output.split()), done.output
        assert not out.exists()
    floats.unlink()
    done = nc64c(*arguments)
    assert done.exit_code == 0, done.output
    document = json.loads((out / "own.json").read_text())
    assert document["contract"] is None
    assert [each["level"] for each in document["sets"]["in"]["levels"]] == ["golden"]
    assert "What the import changed" not in (out / "report.html").read_text()


def _lose_a_spike(responses: Responses) -> None:
    """Of the first stimulus that has any."""
    for stimulus in responses:
        for step, flits in enumerate(stimulus):
            if (spikes := np.flatnonzero(FLIT.get(flits, "region") == Region.SPIKE)).size:
                stimulus[step] = np.delete(flits, spikes[0])
                return


@pytest.mark.slow
def test_a_difference_is_exit_code_1_with_a_triage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An RTL that loses a spike: the page says so, and OUT/mismatch what it was."""

    def no_waves(*_: object, **__: object) -> None:
        raise InputError("no waves here")

    network, inputs = _imported(tmp_path, 1)
    monkeypatch.setattr(choice, "runner_of", lambda *_, **__: FakeRtl(_lose_a_spike))
    monkeypatch.setattr(choice, "recorder_of", no_waves)
    out = tmp_path / "run"
    done = nc64c("run", network, inputs, *CHIP, "--images", 2, "--out", out)
    assert done.exit_code == 1, done.output
    document = json.loads((out / "own.json").read_text())
    assert document["sets"]["in"]["golden_against_rtl"]["mismatched_spikes"] > 0
    page = (out / "report.html").read_text()
    assert "RTL differs from golden: " in page
    assert "The first mismatch" in page
    assert "set in, image 0" in (out / "mismatch/explanation.txt").read_text()
    monkeypatch.setattr(choice, "runner_of", lambda *_, **__: FakeRtl())
    done = nc64c("run", network, inputs, *CHIP, "--images", 2, "--out", out)
    assert done.exit_code == 0, done.output
    assert not (out / "mismatch").exists()
    assert "RTL equals golden" in (out / "report.html").read_text()


@pytest.mark.parametrize("inputs", ["direct", "rate", "latency"])
def test_images_instead_of_spikes(inputs: str, tmp_path: Path) -> None:
    """Whole weights: the file in floats and the integer network fire alike, also of pixels."""
    file, _ = _drawn(tmp_path, 2)
    shape = Drawn(2).shape
    images = np.random.default_rng(2).integers(0, 256, (4, *shape), np.uint8)
    np.savez(tmp_path / "in.npz", images=images)
    options = ("--timesteps", TIMESTEPS, "--dt", "1e-3", "--inputs", inputs)
    paths = ("--out", tmp_path / "out", "--sample", tmp_path / "in.npz")
    done = nc64c("import", file, *options, *paths)
    assert done.exit_code == 0, done.output
    steps = json.loads((tmp_path / "out/contract.json").read_text())["steps"]
    assert sum(steps[0]["spikes"].values()) > 100
    assert len({json.dumps(each["spikes"]) for each in steps}) == 1
    network = tmp_path / "out/network.safetensors"
    done = nc64c("run", network, tmp_path / "in.npz", *CHIP, "--golden-only")
    assert done.exit_code == 0, done.output
    assert "integer = golden: 0 mismatches" in done.output


@pytest.mark.rtl
@pytest.mark.parametrize("seed", [1, 5])
def test_through_the_rtl(seed: int, tmp_path: Path) -> None:
    network, inputs = _imported(tmp_path, seed)
    done = nc64c("run", network, inputs, *CHIP, "--images", 2, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    [found] = json.loads((tmp_path / "run/own.json").read_text())["sets"].values()
    found = found["golden_against_rtl"]
    assert found["spikes"] > 0
    assert found["mismatched_spikes"] == found["mismatched_membranes"] == 0


def test_the_schedule_of_an_import(tmp_path: Path) -> None:
    network, _ = _imported(tmp_path, 1)
    done = nc64c("map", "--network", network, *CHIP)
    assert done.exit_code == 0, done.output
    assert "streamed through 2 x 2 cores" in done.output
    assert "count" in done.output
    assert nc64c("map", "--network", tmp_path / "none").exit_code == 2


def test_bad_input_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    file, inputs = _drawn(tmp_path, 0)
    for arguments in (
        ("import", tmp_path / "none.nir", "--timesteps", 5),
        ("import", inputs, "--timesteps", 5),
        ("import", file, "--timesteps", 0),
        ("import", file, "--timesteps", 5, "--dt", "1e-3", "--sample", file),
        ("import", file, "--timesteps", 5, "--dt", "1e-3", "--reset", "other"),
        ("run", file, inputs),
        ("run", tmp_path / "none", inputs),
    ):
        done = nc64c(*arguments, "--out", tmp_path / "out")
        assert done.exit_code == 2, done.output
        assert "Error: " in done.output
        assert not (tmp_path / "out").exists()


def _net_of_floats(folder: Path) -> tuple[Path, Path]:
    """A NIR file whose weights are no whole numbers, and labelled inputs that it can learn."""
    generator = np.random.default_rng(4)
    ones = np.ones(8)
    nodes: dict[str, Any] = {
        "input": nir.Input(np.array([6])),
        "a": nir.Linear(generator.normal(0, 1, (8, 6))),
        "n": nir.IF(r=ones, v_threshold=ones, v_reset=0 * ones),
        "b": nir.Linear(generator.normal(0, 1, (2, 8))),
        "output": nir.Output(np.array([2])),
    }
    names = list(nodes)
    nir.write(folder / "net.nir", nir.NIRGraph(nodes, list(pairwise(names)), type_check=False))
    labels = np.arange(60) % 2
    rates = np.where(labels[:, None] == np.arange(6) % 2, 0.8, 0.2)
    spikes = generator.random((60, 5, 6)) < rates[:, None]
    np.savez(folder / "in.npz", spikes=spikes[..., None, None], labels=labels)
    return folder / "net.nir", folder / "in.npz"


def _learned(out: Path) -> Path:
    """The network of an import that was trained on 60 inputs, and knows them better for it."""
    document = json.loads((out / "contract.json").read_text())
    assert any("trained on 60 inputs" in each for each in document["decisions"])
    first, last = document["steps"][0]["accuracy"], document["steps"][-1]["accuracy"]
    assert last > max(first, 0.8)
    return out / "network.safetensors"


def test_trained_on_from_the_command_line(tmp_path: Path) -> None:
    file, inputs = _net_of_floats(tmp_path)
    arguments = ("--timesteps", 5, "--bits", 2, "--sample", inputs, "--out", tmp_path / "out")
    more = ("--calibrate", "--finetune", inputs, "--epochs", 15)
    done = nc64c("import", file, *arguments, *more)
    assert done.exit_code == 0, done.output
    network = _learned(tmp_path / "out")
    done = nc64c("run", network, inputs, *CHIP, "--images", 9, "--golden-only")
    assert done.exit_code == 0, done.output
    assert "integer = golden: 0 mismatches" in done.output
    drawn, spikes = _drawn(tmp_path, 0)
    exact = ("--timesteps", TIMESTEPS, "--dt", "1e-3", "--finetune", spikes)
    done = nc64c("import", drawn, *exact, "--out", tmp_path / "none")
    assert done.exit_code == 2
    assert "there is nothing to train on" in " ".join(done.output.split())
    assert not (tmp_path / "none").exists()


def _net_of_events(folder: Path) -> tuple[Path, Path]:
    """A convolution of events and a file of labelled recordings, which it can learn.

    Those of class 0 are brighter on the left, those of class 1 on the right.
    """
    generator, ones = np.random.default_rng(6), np.ones((4, 6, 6))
    nodes: dict[str, Any] = {
        "input": nir.Input(np.array([2, 6, 6])),
        "a": nir.Conv2d((6, 6), generator.normal(0, 0.5, (4, 2, 3, 3)), 1, 1, 1, 1, np.zeros(4)),
        "n": nir.IF(r=ones, v_threshold=ones, v_reset=0 * ones),
        "flat": nir.Flatten(input_type=np.array([4, 6, 6]), start_dim=0),
        "b": nir.Linear(generator.normal(0, 1, (2, 144))),
        "output": nir.Output(np.array([2])),
    }
    nir.write(folder / "net.nir", nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    labels = np.arange(60) % 2
    right = (np.arange(6) >= 3).astype(np.int64)
    rates = np.where(right == labels[:, None], 0.3, 0.1)
    fires = generator.random((60, 5, 2, 6, 6)) < rates[:, None, None, None]
    fires[:, 0, 0, 0, 0] = True  # a recording begins with its first event
    number, step, channel, y, x = np.nonzero(fires)
    events: dict[str, Any] = {"x": x, "y": y, "t": 1000 * step, "p": 1 - channel}
    np.savez(folder / "events.npz", **events, recording=number, labels=labels)
    return folder / "net.nir", folder / "events.npz"


def test_trained_on_with_events(tmp_path: Path) -> None:
    file, events = _net_of_events(tmp_path)
    arguments = ("--timesteps", 5, "--bits", 2, "--finetune", events, "--epochs", 15)
    done = nc64c("import", file, *arguments, "--out", tmp_path / "none")
    assert done.exit_code == 2
    assert "such as --tick 0.01" in " ".join(done.output.split())
    assert not (tmp_path / "none").exists()
    tick = ("--tick", "1e-3")
    done = nc64c("import", file, *arguments, *tick, "--sample", events, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    network = _learned(tmp_path / "out")
    done = nc64c("run", network, events, *CHIP, *tick, "--images", 9, "--golden-only")
    assert done.exit_code == 0, done.output
    assert "integer = golden: 0 mismatches" in done.output


def test_inputs_of_the_other_kind(tmp_path: Path) -> None:
    network, inputs = _imported(tmp_path, 0)
    np.savez(inputs, images=np.zeros((1, 2, 9, 9), np.uint8))
    done = nc64c("run", network, inputs, "--golden-only")
    assert done.exit_code == 2
    assert "has images, the network takes spikes" in " ".join(done.output.split())


def test_more_sets_beside(tmp_path: Path) -> None:
    network, inputs = _imported(tmp_path, 0)
    spikes = np.load(inputs)["spikes"]
    np.save(tmp_path / "attacked.npy", 1 - spikes)
    more = ("--sets", tmp_path / "attacked.npy", "--out", tmp_path / "run")
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", *more)
    assert done.exit_code == 0, done.output
    sets = json.loads((tmp_path / "run/own.json").read_text())["sets"]
    assert list(sets) == ["in", "attacked"]
    assert sets["in"]["spikes"] != sets["attacked"]["spikes"]
    assert sets["attacked"]["accuracy"]["golden"] is None
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", "--sets", inputs)
    assert done.exit_code == 2
    assert "have one name" in done.output


def test_events_of_a_file(tmp_path: Path) -> None:
    """Binned to ticks they are the spikes that the same events are."""
    network, inputs = _imported(tmp_path, 0)
    spikes = np.load(inputs)["spikes"]
    number, t, p, y, x = np.nonzero(spikes)
    events: dict[str, Any] = {"x": x, "y": y, "t": 1000 * t, "p": 1 - p, "recording": number}
    np.savez(tmp_path / "events.npz", **events)
    sets = ("--sets", tmp_path / "events.npz", "--out", tmp_path / "run")
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", *sets, "--tick", "1e-3")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "run/own.json").read_text())["sets"]
    assert found["in"]["spikes"] == found["events"]["spikes"]
    done = nc64c("run", network, inputs, *CHIP, "--golden-only", *sets)
    assert done.exit_code == 2
    assert "such as --tick 0.01" in " ".join(done.output.split())
