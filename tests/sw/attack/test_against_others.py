"""FGSM, PGD, APGD and Square beside torchattacks and Foolbox: same start, same images.

The others' pixels are floats. What the network sees of them is put on the grid, a tie to the even
side; what is next to a tie but for the rounding of floats is taken for one. torchattacks is in no
extra, as it asks for requests of 2020: `pip install --no-deps torchattacks`.
"""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sw.attack.draws import Purpose
from sw.attack.gradient.losses import cross_entropy, dlr
from sw.attack.methods import METHODS, apgd, pgd, square
from sw.attack.methods.budget import Budget
from sw.attack.victim import Look, Victim
from sw.data.dataset import Dataset
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint
from tests.support.attacks import victim_of

pytestmark = pytest.mark.slow
EPS, COUNT = 16, 64  # a mean over 64 losses is their sum but for the exponent


class _Grid(torch.autograd.Function):
    """Pixels on the grid, a tie to the even one; the gradient passes as it is."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor) -> Tensor:
        snapped = (pixels * 255 * 2**12).round() / 2**12
        return snapped.round() / 255

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _Theirs(nn.Module):
    """The network as others attack it: doubles in, but its own float32 within."""

    def __init__(self, network: SpikingNetwork) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)

    def forward(self, pixels: Tensor) -> Tensor:
        on_grid: Tensor = _Grid.apply(pixels)  # type: ignore[no-untyped-call]
        scores: Tensor = self.network((on_grid * 255).float() / 255)
        return scores


@pytest.fixture
def theirs(committed: Checkpoint) -> nn.Module:
    return _Theirs(committed.quantised_network).eval()


@pytest.fixture
def data(held_out: Dataset) -> Dataset:
    return held_out.take(slice(0, COUNT))


@pytest.fixture
def victim(committed: Checkpoint, data: Dataset) -> Victim:
    return victim_of(committed.quantised_network, data.labels, data.numbers)


def torchattacks() -> Any:
    return pytest.importorskip("torchattacks", reason="torchattacks is not installed")


def doubles(data: Dataset) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(data.images).double() / 255, torch.from_numpy(data.labels)


def on_grid(pixels: Tensor) -> NDArray[np.uint8]:
    assert (pixels * 255 - (pixels * 255).round()).abs().max() < 1e-6
    return (pixels * 255).round().to(torch.uint8).numpy()


def test_fgsm_is_that_of_torchattacks(theirs: nn.Module, victim: Victim, data: Dataset) -> None:
    found = torchattacks().FGSM(theirs, EPS / 255)(*doubles(data))
    assert np.array_equal(on_grid(found), METHODS["fgsm"](victim, data.images, Budget(EPS)))


def test_pgd_is_that_of_torchattacks(theirs: nn.Module, victim: Victim, data: Dataset) -> None:
    attack = torchattacks().PGD(theirs, EPS / 255, 4 / 255, steps=7, random_start=False)
    found = on_grid(attack(*doubles(data)))
    ours = pgd.attack(victim, data.images, Budget(EPS, 7), random_start=False)
    assert np.array_equal(found, ours)


def test_pgd_is_that_of_foolbox(theirs: nn.Module, victim: Victim, data: Dataset) -> None:
    foolbox = pytest.importorskip("foolbox", reason="Foolbox is not installed (extra dev)")
    model = foolbox.PyTorchModel(theirs, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(abs_stepsize=4 / 255, steps=7, random_start=False)
    pixels, labels = doubles(data)
    [found], _, _ = attack(
        model, pixels, foolbox.criteria.Misclassification(labels), epsilons=[EPS / 255]
    )
    ours = pgd.attack(victim, data.images, Budget(EPS, 7), random_start=False)
    assert np.array_equal(on_grid(found), ours)


@pytest.mark.parametrize("steps", [8, 23])
def test_apgd_raises_the_loss_as_that_of_torchattacks(
    theirs: nn.Module, victim: Victim, data: Dataset, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of images whose first step raises the loss the same loss, to rounding.

    Of others theirs counts the first step of all as one that did, having nothing before it.
    """
    attack = torchattacks().APGD(theirs, eps=EPS / 255, steps=steps)
    budget = Budget(EPS, steps, seed=3)
    draws = budget.draw(Purpose.START, data.numbers, 2 * EPS + 1, data.images.shape[1:])
    draws[:, 0, 0, 0] = 2 * EPS  # theirs stretches what is drawn to reach eps somewhere
    start = np.clip(data.images + draws - EPS, 0, 255).astype(np.uint8)
    monkeypatch.setattr(apgd, "start", lambda *_: start)
    given = torch.from_numpy(draws).double() / (2 * EPS)
    monkeypatch.setattr(torch, "rand", lambda *_: given)
    pixels, labels = doubles(data)
    _, _, theirs_best, _ = attack.attack_single_run(pixels, labels)

    losses: list[NDArray[np.float32]] = []
    look = victim.look

    def watched(*asked: Any) -> Look:
        found = look(*asked)
        losses.append(found.loss.copy())
        return found

    monkeypatch.setattr(victim, "look", watched)
    apgd.attack_cross_entropy(victim, data.images, budget)
    ours = np.max(losses, axis=0)
    same = losses[1] > losses[0]
    assert same.sum() > COUNT // 2
    np.testing.assert_allclose(theirs_best.numpy()[same], ours[same], rtol=1e-5)


def test_dlr_of_the_right_sign(data: Dataset, victim: Victim) -> None:
    """Their range of scores ends at the third, ours between it and the fourth."""
    scores = torch.from_numpy(victim.scores(data.images))
    labels = torch.from_numpy(data.labels)
    found = torchattacks().APGD.dlr_loss(None, scores, labels)
    ours = dlr(scores, labels)
    assert torch.equal(found.sign(), ours.sign())
    assert torch.all(ours.abs() <= found.abs() + 1e-6)
    assert cross_entropy(scores, labels).shape == found.shape


@pytest.mark.parametrize("row", range(6))
def test_square_is_that_of_torchattacks(
    theirs: nn.Module,
    committed: Checkpoint,
    data: Dataset,
    row: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One image at a time, as theirs puts the same squares on all; with the draws of ours."""
    one, queries = data.take(slice(row, row + 1)), 40
    budget = Budget(EPS, queries, seed=5)
    victim = victim_of(committed.quantised_network, one.labels, one.numbers)
    attack = torchattacks().Square(theirs, eps=EPS / 255, n_queries=queries, loss="margin")
    attack.set_device("cpu")
    attack.init_hyperparam(doubles(one)[0])
    draws = _Draws(budget, one, queries)
    monkeypatch.setattr(attack, "random_choice", draws.signs)
    monkeypatch.setattr(attack, "random_int", draws.place)
    _, found = attack.attack_single_run(*doubles(one))
    ours = square.attack(victim, one.images, budget)
    assert not np.array_equal(ours, one.images)
    assert np.array_equal(on_grid(found), ours)


class _Draws:
    """Ours in the order in which theirs asks: stripes, then row, column and signs of each square.

    The first square, which ours has not, moves nothing.
    """

    def __init__(self, budget: Budget, one: Dataset, queries: int) -> None:
        channels, self._height, width = one.images.shape[1:]
        stripes = budget.draw(Purpose.STRIPES, one.numbers, 2, (channels, 1, width))
        self._signs = [2.0 * stripes - 1, np.zeros((channels, 1, 1))]
        self._places = [0, 0]
        for query in range(1, queries):
            drawn = budget.draw(
                Purpose.SQUARE, one.numbers, square.PLACES, (2 + channels,), turn=query
            )[0]
            room = self._height - square.side_of(query, queries, one.images.shape[1:]) + 1
            self._places += [int(each) * room // square.PLACES for each in drawn[:2]]
            self._signs.append(2.0 * (drawn[2:, None, None] & 1) - 1)

    def signs(self, _shape: object) -> Tensor:
        return torch.from_numpy(self._signs.pop(0))

    def place(self, _low: int, _high: int) -> Tensor:
        return torch.tensor(self._places.pop(0))
