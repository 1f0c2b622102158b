"""Flags: each sign is a sentence, and masked networks have them."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sw.attack.gradient.way import Way
from sw.attack.suite.flags import flags
from sw.attack.suite.measure import Answers, Plan, measure
from sw.attack.suite.members import SUITES, Choice
from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint

CHOICE = Choice("quick")
NAMES = tuple(SUITES["quick"])


def answers(**right: list[int]) -> Answers:
    """Of attacks of strength 8 on four images; those that are not given leave two right."""
    given = {(name, 8): np.array(right.get(name, [1, 1, 0, 0]), np.bool_) for name in NAMES}
    given["apgd", 255] = np.array(right.get("largest", [0, 0, 0, 0]), np.bool_)
    zero = {which: np.zeros(4, np.bool_) for which in given}
    clean = np.array([1, 1, 1, 0], np.bool_)
    return Answers(clean, given, zero, {}, {"conv1": 5, "fc1": 3})


def told(found: Answers) -> list[str]:
    return flags(found, CHOICE.members(), [8], DIGITS)


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
    sentences = told(found)
    assert "layer fc1 never fires" in sentences[0]
    assert sentences[1] == ("8/255: images whose gradient is zero at every pixel: 25.0 % in pgd")


def test_chance_without_expectation_is_said() -> None:
    rate = dataclasses.replace(DIGITS, encoding="rate")
    [sentence] = flags(answers(), CHOICE.members(), [8], rate)
    assert "encoding rate draws spikes" in sentence
    expecting = Choice("quick", draws=4)
    found = answers()
    found.right["eot", 8] = found.zero["eot", 8] = np.zeros(4, np.bool_)
    assert flags(found, expecting.members(), [8], rate) == []


def test_a_gradient_that_vanishes_on_its_way_is_said() -> None:
    found = answers()
    found.faded.update({"conv1": 3, "fc1": 0})
    [sentence] = told(found)
    assert sentence == "clean images whose gradient vanishes before a layer: 75.0 % at conv1"


def test_a_transfer_that_wins_is_a_black_box() -> None:
    choice = Choice("quick", transfers=("aa",))
    found = answers()
    found.right["transfer1", 8] = found.zero["transfer1", 8] = np.zeros(4, np.bool_)
    [sentence] = flags(found, choice.members(), [8], DIGITS)
    assert "transfer1, which sees another network only, leaves 0.0 % right" in sentence


@given(st.data())
def test_the_worst_case_is_at_most_each_member_whatever_they_are(draw: st.DataObject) -> None:
    """Of any answers: no more right than clean, than any attack of that strength; no other one."""
    count = draw.draw(st.integers(1, 12))
    some = st.lists(st.booleans(), min_size=count, max_size=count).map(np.array)
    right = draw.draw(st.dictionaries(st.tuples(st.sampled_from(NAMES), st.just(8)), some))
    other = draw.draw(st.dictionaries(st.tuples(st.sampled_from(NAMES), st.just(16)), some))
    found = Answers(draw.draw(some), right | other, {})
    worst = found.worst(8)
    assert worst.sum() <= min(each.sum() for each in [found.clean, *right.values()])
    for row in range(count):
        stands = [found.clean[row], *(each[row] for each in right.values())]
        assert worst[row] == all(stands)


@pytest.mark.parametrize(
    ("left", "moving"),
    [([90, 80, 79, 69], True), ([90, 80, 79, 71], False), ([90, 20, 9, 0], False)],
)
def test_an_attack_that_still_gains_is_said(left: list[int], moving: bool) -> None:
    """Of 100 images 79 stand after half of the looks; Wilson's interval begins at 70.02."""
    right = np.arange(100) < 70
    given = {(name, 8): right for name in NAMES} | {("apgd", 255): np.zeros(100, np.bool_)}
    zero = {which: np.zeros(100, np.bool_) for which in given}
    sentences = told(Answers(np.ones(100, np.bool_), given, zero, {("apgd", 8): left}))
    words = "8/255: the second half of the steps still gains"
    assert [each.startswith(words) for each in sentences] == [True] * moving


def test_fixed_surrogates_alone_are_said() -> None:
    only = ("fgsm", "apgd", "square")
    [sentence] = flags(answers(), Choice("quick", only=only).members(), [8], DIGITS)
    assert "no attack takes an adaptive surrogate" in sentence
    adaptive = Choice("quick", Way(surrogate="assg"), only)
    assert flags(answers(), adaptive.members(), [8], DIGITS) == []


def test_attacks_that_did_not_run_are_not_compared() -> None:
    for only in ("noise", "square", "sapgd"):
        choice = Choice("quick", only=(only,))
        assert flags(answers(), choice.members(), [8], DIGITS) == []


class Rounded(SpikingNetwork):
    """Behind a rounding of the pixels that lets no gradient pass."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward((images * 15).detach().round() / 15 + 0 * images)


def _measured(network: SpikingNetwork, data: Dataset, eps: int, **how: Any) -> Answers:
    plan = Plan(Choice("quick", **how), (eps,), 0, "")
    return measure(network, data, plan, (lambda _: None, pytest.fail))


@pytest.mark.slow
def test_a_rounding_layer_is_flagged_and_square_breaks_it(
    committed: Checkpoint, held_out: Dataset
) -> None:
    """Strength 255 and the zero gradient show it as well."""
    network = Rounded(committed.config, committed.quantised_network.weight_bits)
    network.load_state_dict(committed.quantised_network.state_dict())
    found = _measured(network, held_out.take(slice(0, 40)), 48)
    sentences = " ".join(flags(found, CHOICE.members(), [48], committed.config))
    assert "at strength 255" in sentences
    assert "100.0 % in fgsm" in sentences
    assert "square, which sees answers only" in sentences


@pytest.mark.slow
def test_a_sharp_surrogate_is_flagged_and_a_wider_one_breaks_it(
    committed: Checkpoint, held_out: Dataset
) -> None:
    """A spike has a slope within 0.0001 thresholds only: hardly any gradient comes through."""
    network, data = committed.quantised_network, held_out.take(slice(0, 40))
    only = ("fgsm", "apgd", "square")
    sharp = Way(surrogate="rectangle", width=1e-4)
    found = _measured(network, data, 48, way=sharp, only=only)
    members = Choice("quick", sharp, only).members()
    sentences = " ".join(flags(found, members, [48], committed.config))
    assert "at strength 255" in sentences
    assert "clean images whose gradient vanishes before a layer" in sentences
    assert "square, which sees answers only" in sentences
    wider = _measured(network, data, 48, only=("apgd",))
    assert wider.accuracy("apgd", 48) < found.accuracy("square", 48) < found.accuracy("apgd", 48)
