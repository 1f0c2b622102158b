"""Random noise, APGD and Square: bounded, on the grid, and by their rules."""

import dataclasses

import numpy as np
import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.gradient import losses
from sw.attack.methods import METHODS, apgd, pgd, sapgd, square
from sw.attack.methods.budget import Budget
from sw.attack.set_names import OF_SPIKES
from sw.common.errors import InputError
from sw.data.dataset import Dataset, Images
from sw.model.architectures import DIGITS
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint
from tests.support.attacks import victim_of

NEW = ("noise", "apgd", "dlr", "sapgd", "square")


@pytest.fixture
def data(held_out: Dataset) -> Dataset:
    return held_out.take(slice(0, 30))


def right(network: SpikingNetwork, images: Images, data: Dataset) -> int:
    return int((evaluate(network, images).predictions == data.labels).sum())


@pytest.mark.slow
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("method", NEW)
def test_bounded_seeded_and_the_same_in_any_company(
    committed: Checkpoint, data: Dataset, method: str, targeted: bool
) -> None:
    network, attack = committed.quantised_network, Attack(method, 9, targeted, seed=3, steps=6)
    found = attack(network, data)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - data.images).max() <= 9
    assert np.array_equal(found, attack(network, data))
    part = attack(network, data.take(slice(11, 20)))
    assert np.mean((part != found[11:20]).any(axis=(1, 2, 3))) < 0.3
    other = Attack(method, 9, targeted, seed=4, steps=6)(network, data)
    assert not np.array_equal(found, other)


def test_noise_moves_every_pixel_as_far_as_it_may(committed: Checkpoint, data: Dataset) -> None:
    step = Attack("noise", 5)(committed.float_network, data).astype(int) - data.images
    inside = (data.images >= 5) & (data.images <= 250)
    assert set(np.unique(step[inside])) == {-5, 5}
    assert abs(np.sign(step[inside]).mean()) < 0.1


@pytest.mark.slow
def test_each_finds_more_than_the_one_before(committed: Checkpoint, held_out: Dataset) -> None:
    """At 32: noise harms least, then a step, then steps, then steps that choose their size."""
    network, data = committed.quantised_network, held_out.take(slice(0, 100))
    attacks = [Attack(name, 32) for name in ("noise", "fgsm", "pgd")]
    attacks.append(Attack("apgd", 32, steps=40))
    counts = [right(network, attack(network, data), data) for attack in attacks]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] + 10
    assert counts[2] > counts[3] + 5


@pytest.mark.slow
def test_a_restart_takes_nothing_away(committed: Checkpoint, data: Dataset) -> None:
    network = committed.quantised_network
    victim = victim_of(network, data.labels, data.numbers)
    once, thrice = (
        victim.margins(Attack("pgd", 24, steps=3, restarts=n)(network, data), victim.labels)
        for n in (1, 3)
    )
    assert np.all(thrice <= once)
    assert np.any(thrice < once)


# ------------------------------------------------------------ APGD
@pytest.mark.parametrize(
    ("steps", "expected"),
    [(100, [22, 41, 57, 70, 80, 87, 93, 99]), (10, [2, 3, 4, 5, 6, 7, 8, 9, 10]), (1, [1])],
)
def test_the_periods_of_apgd_get_shorter(steps: int, expected: list[int]) -> None:
    """22 % of the steps, then 3 % less each time, 6 % at least."""
    assert apgd.checkpoints(steps) == expected


def test_dlr_does_not_change_with_scale_or_offset() -> None:
    scores = torch.tensor([[3.0, 1.0, 0.0, -1.0], [0.5, 2.0, 1.5, 0.0]])
    labels = torch.tensor([0, 0])
    by_hand = torch.tensor([-(3 - 1) / (3 - (0 - 1) / 2), -(0.5 - 2) / (2 - (0.5 + 0) / 2)])
    torch.testing.assert_close(losses.dlr(scores, labels), by_hand)
    torch.testing.assert_close(losses.dlr(7 * scores - 4, labels), by_hand)


def test_dlr_needs_four_classes() -> None:
    with pytest.raises(InputError, match="needs 4 classes or more, the network has 3"):
        losses.dlr(torch.zeros(2, 3), torch.tensor([0, 1]))


def test_the_worst_image_is_kept(committed: Checkpoint, data: Dataset) -> None:
    """APGD's image has the largest loss of all that the network was shown."""
    network = committed.quantised_network
    victim = victim_of(network, data.labels, data.numbers)
    seen = []
    look = victim.look

    def watched(images: Images, loss: losses.Loss = losses.cross_entropy) -> object:
        seen.append(look(images, loss))
        return seen[-1]

    victim.look = watched  # type: ignore[assignment, method-assign]
    found = apgd.attack_cross_entropy(victim, data.images, Budget(16, steps=7))
    assert len(seen) == 8
    fooled = np.any([each.margin < 0 for each in seen], axis=0)
    last = look(found)
    assert np.array_equal(last.margin < 0, fooled)
    still = ~fooled
    highest = np.max([each.loss for each in seen], axis=0)
    np.testing.assert_allclose(last.loss[still], highest[still], rtol=1e-5)


# ------------------------------------------------------------ SA-PGD
def test_sa_pgd_by_hand(committed: Checkpoint, data: Dataset) -> None:
    """Three steps once more, image by image; the size is halved after each, as 22 % of 3 is 0."""
    network, eps = committed.quantised_network, 16
    victim = victim_of(network, data.labels, data.numbers)
    looks = victim_of(network, data.labels, data.numbers)
    budget = Budget(eps, steps=3, seed=4)
    found = sapgd.attack(victim, data.images, budget)
    at = pgd.start(victim, data.images, budget).astype(np.float64)
    m = v = np.zeros_like(at)
    shown, seen = [], []
    for step in range(4):
        shown.append(np.rint(at).astype(np.uint8))
        seen.append(looks.look(shown[-1]))
        g = seen[-1].uphill.astype(np.float64)
        size = np.abs(g).mean(axis=(1, 2, 3), keepdims=True)
        squares = (g**2).mean(axis=(1, 2, 3), keepdims=True)
        m, v = 0.5 * m + g / size, 0.8 * v + g**2 / squares
        far = np.clip(m / (np.sqrt(v) + 1e-12), -1, 1) * eps / 2**step
        at = np.clip(
            at + far, np.maximum(data.images - 16.0, 0), np.minimum(data.images + 16.0, 255)
        )
    for row in range(len(data)):
        fools = [look for look in range(4) if seen[look].margin[row] < 0]
        best = fools[-1] if fools else int(np.argmax([each.loss[row] for each in seen]))
        assert np.array_equal(found[row], shown[best][row]), row


def test_sa_pgd_stands_still_without_a_gradient(committed: Checkpoint, data: Dataset) -> None:
    dead = SpikingNetwork(dataclasses.replace(DIGITS, norm=False, theta_conv=1e6))
    dead.reset(0)
    victim = victim_of(dead, data.labels, data.numbers)
    budget = Budget(9, steps=2)
    found = sapgd.attack(victim, data.images, budget)
    assert np.array_equal(found, pgd.start(victim, data.images, budget))
    assert victim.course.zero.all()


# ------------------------------------------------------------ towards the nearest classes
@pytest.mark.slow
def test_each_start_aims_at_the_next_class(committed: Checkpoint, data: Dataset) -> None:
    """Start 1 goes for the second of the wrong classes by score; more starts fool more images."""
    network = committed.quantised_network
    victim = victim_of(network, data.labels, data.numbers)
    scores = victim.scores(data.images)
    scores[np.arange(len(data)), data.labels] = -np.inf
    aims = np.argsort(-scores, axis=1, kind="stable")[:, 1]
    found = METHODS["nearest"](victim, data.images, Budget(40, steps=5, restart=1))
    expected = apgd.attack_dlr(
        victim_of(network, aims, data.numbers, targeted=True), data.images, Budget(40, 5, restart=1)
    )
    assert np.array_equal(found, expected)
    last = evaluate(network, found).predictions
    assert np.mean(last == aims) > 0.2
    counts = [
        right(network, Attack("nearest", 20, steps=5, restarts=n)(network, data), data)
        for n in (1, 4)
    ]
    assert counts[1] < counts[0]


# ------------------------------------------------------------ Square
def test_squares_get_smaller() -> None:
    sides = [square.side_of(query, 1000, (3, 32, 32)) for query in range(1, 1000)]
    assert sides[0] == round((0.8 * 32 * 32) ** 0.5)
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] == 1
    assert square.side_of(1, 1000, (1, 8, 2)) == 2


def test_square_asks_for_answers_only(
    committed: Checkpoint, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No gradient is taken, margins never grow, and no more is asked than was allowed."""
    victim = victim_of(committed.quantised_network, data.labels, data.numbers)
    monkeypatch.setattr(victim, "look", None)
    first = victim.margins(square.attack(victim, data.images, Budget(24, steps=1)), victim.labels)
    asked = victim.queries
    found = square.attack(victim, data.images, Budget(24, steps=12))
    assert victim.queries - asked <= 12 * len(data)
    assert np.all(victim.margins(found, victim.labels) <= first)
    assert not victim.course.zero.any()
    moved = np.abs(found.astype(int) - data.images)
    inside = (data.images >= 24) & (data.images <= 231)
    assert set(np.unique(moved[inside])) == {24}


@pytest.mark.slow
def test_square_breaks_a_network_that_hides_its_gradient(
    committed: Checkpoint, held_out: Dataset
) -> None:
    """Pixels are rounded to 16 levels first, whose gradient is 0: the answers do not hide."""

    class Rounded(SpikingNetwork):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return super().forward((images * 15).detach().round() / 15 + 0 * images)

    network = Rounded(committed.config, committed.quantised_network.weight_bits)
    network.load_state_dict(committed.quantised_network.state_dict())
    data = held_out.take(slice(0, 60))
    [masked] = Attack("apgd", 48).at([48], network, data)
    assert masked.zero.all()
    [found] = Attack("square", 48, steps=100).at([48], network, data)
    assert right(network, found.images, data) < right(network, masked.images, data) - 10


@pytest.mark.parametrize("method", [name for name in METHODS if name not in OF_SPIKES])
def test_no_images_and_no_strength(committed: Checkpoint, data: Dataset, method: str) -> None:
    network = committed.quantised_network
    assert Attack(method, 8)(network, data.take(slice(0))).shape == (0, 1, 8, 8)
    assert np.array_equal(Attack(method, 0)(network, data), data.images)


@pytest.mark.parametrize("restarts", [1, 2])
@pytest.mark.parametrize("method", [name for name in METHODS if name not in OF_SPIKES])
def test_the_images_that_are_given_stay(
    committed: Checkpoint, data: Dataset, method: str, restarts: int
) -> None:
    given = data.take(slice(0, 5))
    kept = given.images.copy()
    found = Attack(method, 60, steps=3, restarts=restarts)(committed.quantised_network, given)
    assert not np.array_equal(found, kept)
    assert np.array_equal(given.images, kept)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"steps": 0}, "steps: is 0, must be an integer from 1 to 10000"),
        ({"restarts": 0}, "restarts: is 0, must be an integer from 1 to 100"),
        ({"seed": -1}, "attack seed: is -1"),
    ],
)
def test_what_is_refused(given: dict[str, int], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Attack("square", 8, **given)  # type: ignore[arg-type]
