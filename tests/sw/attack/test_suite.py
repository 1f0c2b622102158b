"""Suites: the worst case over attacks, blocks that are kept, the command."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.report.studies.robustness import render
from sw.attack.gradient.way import Way
from sw.attack.suite import blocks, memory
from sw.attack.suite.measure import Plan, measure, work
from sw.attack.suite.members import SUITES, Choice
from sw.attack.suite.pages.document import page
from sw.attack.suite.vanishing import vanishing
from sw.common.errors import InputError
from sw.common.intervals import wilson
from sw.data.dataset import Dataset
from sw.files.paths import DIGITS_CHECKPOINT
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.cli import nc64c
from tests.support.markdown import tables

QUICK = Choice("quick", Way(batch=20))
NAMES = tuple(SUITES["quick"])


@pytest.mark.slow
def test_measured_kept_and_taken_up_again(
    committed: Checkpoint, held_out: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of 20 images: what a killed run has finished is not done again; the rest is."""
    network, data = committed.quantised_network, held_out.take(slice(0, 40))
    plan = Plan(QUICK, (24,), 5, "0" * 64, tmp_path)
    counted: list[int] = []
    whole = measure(network, data, plan, (counted.append, pytest.fail))
    assert sum(counted) == work(plan, data) == 9 * 40
    members_right = [right for (_, eps), right in whole.right.items() if eps == 24]
    assert all(not np.any(whole.worst(24) & ~right) for right in members_right)
    assert whole.accuracy("apgd", 255) == 0

    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2 * 8
    kept[3].write_bytes(kept[3].read_bytes()[:50])
    kept[5].unlink()
    made: list[object] = []
    once = blocks.Blocks._made

    def counting(found: blocks.Blocks, *given: Any) -> dict[str, Any]:
        made.append(given)
        return once(found, *given)

    monkeypatch.setattr(blocks.Blocks, "_made", counting)
    said: list[str] = []
    again = measure(network, data, plan, (counted.append, said.append))
    assert len(made) == 2
    assert len(said) == 1
    assert said[0].endswith("it is done again")
    for which, right in whole.right.items():
        assert np.array_equal(right, again.right[which])


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    out, other = tmp_path / "suite", _untrained(tmp_path / "other")
    asked = ("robustness", DIGITS_CHECKPOINT, "--suite", "quick", "--images", "20", "--eps", "32")
    result = nc64c(*asked, "--threads", "1", "--out", out, "--transfer", other, "--batch", "7")
    assert result.exit_code == 0, result.output
    document = json.loads((out / "robustness.json").read_text())
    assert document["worst"]["32"] <= min(each["32"] for each in document["attacks"].values())
    assert set(document["attacks"]) == {*NAMES, "transfer1"}
    assert set(document["curves"]) == {"pgd", "apgd", "dlr", "sapgd", "square"}
    for name, curve in document["curves"].items():
        falls = curve["32"]
        assert falls == sorted(falls, reverse=True)
        assert falls[-1] <= document["attacks"][name]["32"] or name == "pgd"
    assert document["how"]["sapgd"] == "100 steps, surrogate assg"
    text = (out / "robustness.md").read_text()
    assert text == page(document)
    assert len(tables(text)) == 1
    assert (out / "robustness.html").read_text() == render(document)
    low, high = (100 * end for end in wilson(round(document["worst"]["32"] / 5), 20))
    assert f"| **worst case** | {document['worst']['32']:.1f} ({low:.1f} to {high:.1f}) |" in text
    assert document["intervals"]["worst"]["32"] == [low, high]
    assert "worst case" in result.stdout


def _untrained(path: Path, **changes: Any) -> Path:
    config = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 4), LayerSpec("fc", 8)))
    config = dataclasses.replace(config, **changes)
    networks = SpikingNetwork(config), SpikingNetwork(config, config.weight_bits)
    for seed, network in enumerate(networks):
        network.reset(seed)
    checkpoint.save(path, Trained(*networks), TrainSettings())
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--suite", "slow"), "unknown suite 'slow': must be quick or reliable"),
        (("--suite", "quick", "--eps", "0"), "strength: is 0, must be an integer from 1 to 254"),
        (("--suite", "quick", "--attacker", "x"), "--attacker: is of FGSM alone"),
        (("--suite", "quick", "--out", DIGITS_CHECKPOINT), "which is read: give another name"),
        (("--suite", "quick", "--images", "0"), "0 images were asked for"),
        (("--suite", "quick", "--surrogate", "atan:2"), "unknown surrogate 'atan': must be one of"),
        (("--surrogate", "assg:1"), "surrogate assg: its width is 1, must be above 0 and below"),
        (("--gradient", "spikes"), "unknown gradient 'spikes': must be one of time, rate, rga"),
        (
            ("--suite", "quick", "--attacks", "cw"),
            "unknown attack 'cw': must be one of noise",
        ),
        (("--suite", "quick", "--attacks", ""), "unknown attack '': must be one of noise"),
        (("--suite", "quick", "--attacks", "dlr,dlr"), "attacks dlr, dlr: one of them is there"),
        (("--eps", "0"), "strength: is 0, must be an integer from 1 to 255"),
        (("--eps", "2,256"), "strength: is 256, must be an integer from 1 to 255"),
        (("--suite", "quick", "--steps", "0"), "steps: is 0, must be an integer from 1 to 10000"),
        (("--suite", "quick", "--queries", "0"), "queries: is 0, must be an integer from 1 to"),
        (("--suite", "quick", "--batch", "0"), "batch: is 0, must be an integer from 1 to 10000"),
        (("--suite", "quick", "--draws", "-1"), "draws: is -1, must be an integer from 0 to 1000"),
        (("--suite", "quick", "--draws", "5"), "encoding direct draws nothing to expect over"),
        (("--suite", "quick", "--transfer", "none"), "cannot read checkpoint none"),
        (("--suite", "quick", "--transfer", "classes"), "attack model classes takes images"),
        (("--suite", "quick", "--gradient", "rga:0"), "times the network's steps: is 0, must be"),
        (("--steps", "5"), "--steps: is of a suite: give --suite as well"),
        (("--transfer", "classes"), "--transfer: is of a suite: give --suite as well"),
    ],
)
def test_bad_input(
    options: tuple[object, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _untrained(Path("classes"), classes=("odd", "even"))
    result = nc64c("robustness", DIGITS_CHECKPOINT, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not Path("robustness.json").exists()


def test_a_batch_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_free", lambda _: 20 << 20)
    asked = ("robustness", DIGITS_CHECKPOINT, "--suite", "quick", "--images", "200")
    result = nc64c(*asked, "--batch", "150")
    assert result.exit_code == 2
    words = " ".join(result.stderr.split())
    assert "network digits: 150 images at once take about" in words
    fits = int(words.rpartition("--batch must be ")[2].split()[0])
    assert 1 <= fits < 150
    memory.check_memory(SpikingNetwork(DIGITS), fits)
    with pytest.raises(InputError, match="--batch must be"):
        memory.check_memory(SpikingNetwork(DIGITS), fits + 1)
    result = nc64c(*asked, "--batch", str(fits), "--gradient", "rga:2")
    assert result.exit_code == 2
    assert f"--batch must be {fits // 2} or less" in " ".join(result.stderr.split())
    result = nc64c("robustness", DIGITS_CHECKPOINT, "--images", "200", "--batch", "150")
    assert result.exit_code == 2
    assert f"--batch must be {fits} or less" in " ".join(result.stderr.split())


def test_members_have_the_strength_and_the_seed() -> None:
    for suite in SUITES:
        plan = Plan(Choice(suite), (7,), 3, "")
        assert {(each.attack.eps, each.attack.seed) for each in plan.attacks().values()} == {
            (7, 3),
            (255, 3),
        }
    with pytest.raises(InputError, match="unknown suite"):
        Choice("none")


def test_what_is_asked_for_is_what_members_do() -> None:
    way = Way(surrogate="arctan", batch=9)
    choice = Choice("quick", way, ("apgd", "sapgd", "square"), 4, 6, 3, ("aa", "bb"))
    found = choice.members()
    assert list(found) == ["apgd", "sapgd", "square", "eot", "transfer1", "transfer2"]
    assert [each.attack.steps for each in found.values()] == [4, 4, 6, 4, 4, 4]
    assert [each.source for each in found.values()] == [None] * 4 + ["aa", "bb"]
    assert found["apgd"].way == way
    assert found["sapgd"].way == Way(surrogate="assg", batch=9)
    assert found["eot"].way == dataclasses.replace(way, draws=3)


@pytest.mark.slow
def test_images_of_another_network_are_shown_to_this_one(
    committed: Checkpoint, held_out: Dataset, tmp_path: Path
) -> None:
    """Made on the network itself they are those of the attack; on another one they harm less."""
    network, data = committed.quantised_network, held_out.take(slice(0, 40))
    other = checkpoint.load(_untrained(tmp_path / "other")).quantised_network
    choice = Choice("quick", Way(batch=40), ("apgd",), 10, transfers=("self", "other"))
    plan = Plan(choice, (32,), 1, "")
    found = measure(
        network, data, plan, (lambda _: None, pytest.fail), {"self": network, "other": other}
    )
    assert np.array_equal(found.right["transfer1", 32], found.right["apgd", 32])
    assert found.accuracy("transfer2", 32) > found.accuracy("apgd", 32) + 20


def test_where_the_gradient_vanishes(committed: Checkpoint, held_out: Dataset) -> None:
    """Nowhere in a trained network; behind a layer that never fires, at every image."""
    data = held_out.take(slice(0, 30))
    network = committed.quantised_network
    assert vanishing(network, data, Way()) == dict.fromkeys(("conv1", "conv2", "conv3", "fc1"), 0)
    layers = list(DIGITS.layers)
    layers[2] = dataclasses.replace(layers[2], theta=1e6)
    dead = SpikingNetwork(dataclasses.replace(DIGITS, layers=tuple(layers), norm=False))
    dead.reset(1)
    found = vanishing(dead, data, Way(surrogate="rectangle"))
    assert found["conv1"] == found["conv2"] == found["conv3"] == 30
    assert not dead.chain[0]._forward_hooks
