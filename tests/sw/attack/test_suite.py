"""Suites: the worst case over attacks, flags of figures to doubt, blocks that are kept."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sw.attack.suite import measure as measuring
from sw.attack.suite.flags import flags
from sw.attack.suite.measure import Answers, Plan, measure, work
from sw.attack.suite.members import SUITES, members
from sw.attack.suite.task import page
from sw.common.errors import InputError
from sw.common.intervals import wilson
from sw.data.dataset import Dataset
from sw.files.paths import DIGITS_CHECKPOINT
from sw.model.architectures import DIGITS
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint
from tests.support.cli import nc64c

NAMES = tuple(SUITES["quick"])


def answers(**right: list[int]) -> Answers:
    """Of attacks of strength 8 on four images; those that are not given leave two right."""
    given = {(name, 8): np.array(right.get(name, [1, 1, 0, 0]), np.bool_) for name in NAMES}
    given["apgd", 255] = np.array(right.get("largest", [0, 0, 0, 0]), np.bool_)
    zero = {which: np.zeros(4, np.bool_) for which in given}
    clean = np.array([1, 1, 1, 0], np.bool_)
    return Answers(clean, given, zero, {"conv1": 5, "fc1": 3})


def told(found: Answers) -> list[str]:
    return flags(found, [8], DIGITS)


def test_the_worst_case_is_at_most_each_member() -> None:
    found = answers(pgd=[1, 0, 0, 1], dlr=[0, 1, 0, 0])
    assert found.worst(8).tolist() == [False] * 4
    assert answers().worst(8).tolist() == [True, True, False, False]
    assert answers(noise=[1, 0, 1, 1]).worst(8).tolist() == [True, False, False, False]


def test_nothing_to_say_of_sound_figures() -> None:
    assert told(answers(noise=[1, 1, 1, 0])) == []


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ({"largest": [1, 0, 0, 0]}, "25.0 % are still right"),
        ({"square": [1, 0, 0, 0]}, "square, which sees answers only, leaves 25.0 % right"),
        ({"pgd": [1, 1, 1, 0]}, "8/255: many steps leave more right than fgsm (50.0 %): pgd 75.0"),
        ({"noise": [1, 0, 0, 0]}, "random noise leaves 25.0 % right, fgsm 50.0 %"),
    ],
)
def test_each_sign_is_a_sentence(right: dict[str, list[int]], words: str) -> None:
    [sentence] = told(answers(**right))
    assert words in sentence


def test_silence_zero_gradients_and_chance_are_said() -> None:
    found = answers()
    found.zero["pgd", 8][0] = True
    found.spikes["fc1"] = 0
    sentences = flags(found, [8], SpikingNetwork(DIGITS).config)
    assert "layer fc1 never fires" in sentences[0]
    assert sentences[1] == ("8/255: images whose gradient is zero at every pixel: 25.0 % in pgd")
    rate = SpikingNetwork(DIGITS).config.__class__(**{**DIGITS.__dict__, "encoding": "rate"})
    assert any("encoding rate draws spikes" in each for each in flags(answers(), [8], rate))


@pytest.mark.slow
def test_measured_kept_and_taken_up_again(
    committed: Checkpoint, held_out: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of 20 images: what a killed run has finished is not done again; the rest is."""
    monkeypatch.setattr(measuring, "BLOCK", 20)
    network, data = committed.quantised_network, held_out.take(slice(0, 40))
    plan = Plan("quick", (24,), 5, "0" * 64, tmp_path)
    counted: list[int] = []
    whole = measure(network, data, plan, counted.append, pytest.fail)
    assert sum(counted) == work(plan, data) == 8 * 40
    members_right = [right for (_, eps), right in whole.right.items() if eps == 24]
    assert all(not np.any(whole.worst(24) & ~right) for right in members_right)
    assert whole.accuracy("apgd", 255) == 0

    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2 * 7
    kept[3].write_bytes(kept[3].read_bytes()[:50])
    kept[5].unlink()
    made: list[object] = []
    once = measuring._Blocks._made

    def counting(blocks: object, *given: object) -> object:
        made.append(given)
        return once(blocks, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring._Blocks, "_made", counting)
    said: list[str] = []
    again = measure(network, data, plan, counted.append, said.append)
    assert len(made) == 2
    assert len(said) == 1
    assert said[0].endswith("it is done again")
    for which, right in whole.right.items():
        assert np.array_equal(right, again.right[which])


@pytest.mark.slow
def test_a_hidden_gradient_is_flagged(committed: Checkpoint, held_out: Dataset) -> None:
    """Behind a rounding of the pixels no gradient is left: Square shows it, and strength 255."""

    class Rounded(SpikingNetwork):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward((images * 15).detach().round() / 15 + 0 * images)

    network = Rounded(committed.config, committed.quantised_network.weight_bits)
    network.load_state_dict(committed.quantised_network.state_dict())
    data = held_out.take(slice(0, 40))
    found = measure(network, data, Plan("quick", (48,), 0, ""), lambda _: None, pytest.fail)
    sentences = " ".join(flags(found, [48], committed.config))
    assert "at strength 255" in sentences
    assert "100.0 % in fgsm" in sentences
    assert "square, which sees answers only" in sentences


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "suite"
    asked = ("robustness", DIGITS_CHECKPOINT, "--suite", "quick", "--images", "20", "--eps", "32")
    result = nc64c(*asked, "--threads", "1", "--out", out)
    assert result.exit_code == 0, result.output
    document = json.loads((out / "robustness.json").read_text())
    assert document["worst"]["32"] <= min(each["32"] for each in document["attacks"].values())
    assert set(document["attacks"]) == set(NAMES)
    text = (out / "robustness.md").read_text()
    assert text == page(document)
    low, high = (100 * end for end in wilson(round(document["worst"]["32"] / 5), 20))
    assert f"| **worst case** | {document['worst']['32']:.1f} ({low:.1f} to {high:.1f}) |" in text
    assert document["intervals"]["worst"]["32"] == [low, high]
    assert "worst case" in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--suite", "slow"), "unknown suite 'slow': must be quick or reliable"),
        (("--suite", "quick", "--eps", "0"), "strength: is 0, must be an integer from 1 to 254"),
        (("--suite", "quick", "--attacker", "x"), "a suite has no transfer attack"),
        (("--suite", "quick", "--out", DIGITS_CHECKPOINT), "which is read: give another name"),
        (("--suite", "quick", "--images", "0"), "0 images were asked for"),
        (("--suite", "quick", "--surrogate", "atan:2"), "unknown surrogate 'atan': must be one of"),
        (("--surrogate", "assg:1"), "surrogate assg: its width is 1, must be above 0 and below"),
        (("--gradient", "spikes"), "unknown gradient 'spikes': must be one of time, rate, rga"),
    ],
)
def test_bad_input(options: tuple[object, ...], words: str) -> None:
    result = nc64c("robustness", DIGITS_CHECKPOINT, *options)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert words in line


def test_members_have_the_strength_and_the_seed() -> None:
    for suite in SUITES:
        assert {(each.eps, each.seed) for each in members(suite, 7, 3).values()} == {(7, 3)}
    with pytest.raises(InputError, match="unknown suite"):
        members("none", 1, 0)
