"""Targeted FGSM, R+FGSM and PGD: by their formulas, on the grid, bounded, seeded; and Foolbox."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from sw.attack.attacks import Attack, random_targets
from sw.attack.draws import Purpose, draw
from sw.attack.gradient.sight import by_pixels
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork, as_input
from sw.train.checkpoint import Checkpoint
from tests.support.attacks import fgsm, pgd, rfgsm
from tests.support.networks import clear_of_zero

pytestmark = pytest.mark.slow

NETWORKS = ("float_network", "quantised_network")
METHODS = ("fgsm", "rfgsm", "pgd")


def _signs(
    network: SpikingNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """By the function that attacks call: another way to the same gradient rounds differently."""
    gradient = by_pixels(network, as_input(images), torch.from_numpy(labels))
    return gradient.sign().to(torch.int64).numpy()


def _loss(network: SpikingNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    with torch.no_grad():
        return F.cross_entropy(network(as_input(images)), torch.from_numpy(labels)).item()


@pytest.mark.parametrize("which", NETWORKS)
def test_targeted_goes_down_to_its_class(
    committed: Checkpoint, held_out: Dataset, which: str
) -> None:
    network: SpikingNetwork = getattr(committed, which)
    images, labels = held_out.images[:60], held_out.labels[:60]
    targets = random_targets(labels, 10, 3, held_out.numbers[:60])
    found = fgsm(network, images, targets, 16, targeted=True)
    step = 16 * _signs(network, images, targets)
    assert np.array_equal(found, np.clip(images - step, 0, 255))
    assert _loss(network, found, targets) < 0.9 * _loss(network, images, targets)


def test_targets_are_never_the_truth_and_all_others() -> None:
    labels, numbers = np.repeat(np.arange(10), 400), np.arange(4000)
    targets = random_targets(labels, 10, 1, numbers)
    assert not np.any(targets == labels)
    for label in range(10):
        counts = np.bincount(targets[labels == label], minlength=10)
        assert counts[label] == 0
        assert np.delete(counts, label).min() > 20
    assert np.array_equal(targets, random_targets(labels, 10, 1, numbers))
    assert not np.array_equal(targets, random_targets(labels, 10, 2, numbers))
    assert not np.array_equal(targets, random_targets(labels, 10, 1, numbers + 1))


@pytest.mark.parametrize(("eps", "alpha"), [(8, 4), (5, 2), (1, 0)])
def test_r_fgsm_is_a_random_and_a_gradient_step(
    committed: Checkpoint, held_out: Dataset, eps: int, alpha: int
) -> None:
    """By default alpha is eps / 2, rounded down."""
    network, data = committed.quantised_network, held_out.take(slice(5, 35))
    images, labels, numbers = data.images, data.labels, data.numbers
    found = rfgsm(network, images, labels, eps, numbers=numbers, seed=9)
    random = 2 * draw(9, Purpose.STEP, numbers, 2, (1, 8, 8), variant=eps) - 1
    first = np.clip(images + alpha * random, 0, 255).astype(np.uint8)
    step = (eps - alpha) * _signs(network, first, labels)
    assert np.array_equal(found, np.clip(first + step, 0, 255))
    again = rfgsm(network, images, labels, eps, numbers=numbers, alpha=alpha, seed=9)
    assert np.array_equal(found, again)


@pytest.mark.parametrize("targeted", [False, True])
def test_pgd_is_projected_steps(committed: Checkpoint, held_out: Dataset, targeted: bool) -> None:
    network, data = committed.float_network, held_out.take(slice(5, 35))
    images, labels, numbers = data.images, data.labels, data.numbers
    found = pgd(
        network, images, labels, 8, numbers=numbers, alpha=3, steps=4, targeted=targeted, seed=2
    )
    start = draw(2, Purpose.START, numbers, 17, (1, 8, 8), variant=8) - 8
    assert start.min() == -8
    assert start.max() == 8
    moved = np.clip(images + start, 0, 255)
    for _ in range(4):
        step = 3 * _signs(network, moved.astype(np.uint8), labels)
        moved = np.clip(moved - step if targeted else moved + step, 0, 255)
        moved = np.clip(moved, images - np.int64(8), images + np.int64(8))
    assert np.array_equal(found, moved)


def test_one_step_of_pgd_without_a_random_start_is_fgsm(
    committed: Checkpoint, held_out: Dataset
) -> None:
    network, images, labels = committed.float_network, held_out.images[:30], held_out.labels[:30]
    numbers = held_out.numbers[:30]
    once = pgd(network, images, labels, 8, numbers=numbers, alpha=8, steps=1, random_start=False)
    assert np.array_equal(once, fgsm(network, images, labels, 8))


KINDS = {
    "targeted_8": Attack("fgsm", 8, targeted=True, seed=7),
    "rfgsm_8": Attack("rfgsm", 8, seed=7),
    "pgd_8": Attack("pgd", 8, seed=7),
    "pgd_4": Attack("pgd", 4, seed=7),
}


@pytest.mark.parametrize("name", KINDS)
def test_an_image_is_attacked_the_same_in_any_company(
    committed: Checkpoint, held_out: Dataset, name: str
) -> None:
    """Of 9 images alone, of 30, and in another order: only the sums' rounding could differ."""
    network, attack = committed.quantised_network, KINDS[name]
    whole = attack(network, held_out.take(slice(0, 30)))
    order = np.random.default_rng(1).permutation(30)
    mixed = attack(network, held_out.take(slice(0, 30)).take(order))
    part = attack(network, held_out.take(slice(11, 20)))
    for found, expected in ((mixed, whole[order]), (part, whole[11:20])):
        assert np.mean((found != expected).any(axis=(1, 2, 3))) < 0.15
        assert np.mean(found != expected) < 0.01


@pytest.mark.parametrize("name", KINDS)
def test_the_same_image_twice_is_attacked_twice(
    committed: Checkpoint, held_out: Dataset, name: str
) -> None:
    """Two images of a data set get draws of their own, even if their pixels are the same."""
    first = held_out.take(np.zeros(40, np.int64))
    twins = dataclasses.replace(first, numbers=np.arange(40))
    made = KINDS[name](committed.quantised_network, twins)
    assert len(np.unique(made, axis=0)) > (5 if name == "targeted_8" else 39)
    assert len(np.unique(KINDS[name](committed.quantised_network, first), axis=0)) == 1


def test_a_gradient_of_zero_is_told(committed: Checkpoint, held_out: Dataset) -> None:
    """A network of zeros has none at any pixel; a trained one has some at every image."""
    network, data = committed.float_network, held_out.take(slice(0, 6))
    dead = SpikingNetwork(committed.config)
    with torch.no_grad():
        for parameter in dead.parameters():
            parameter.zero_()
    for name, attack in KINDS.items():
        [alive], [told] = (
            one.at([8], given, data) for one, given in ((attack, network), (attack, dead))
        )
        assert not alive.zero.any(), name
        assert told.zero.all(), name
    untouched = Attack("fgsm", 8)(dead, data)
    assert np.array_equal(untouched, data.images)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("targeted", [False, True])
def test_by_name_bounded_seeded_and_harmful(
    committed: Checkpoint, held_out: Dataset, method: str, targeted: bool
) -> None:
    network, images, labels = committed.quantised_network, held_out.images, held_out.labels
    attack = Attack(method, 32, targeted, seed=4)
    found = attack(network, held_out)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - images).max() <= 32
    assert np.array_equal(found, attack(network, held_out))
    clean = accuracy(evaluate(network, images).predictions, labels)
    attacked = accuracy(evaluate(network, found).predictions, labels)
    assert attacked < clean - 5
    if method != "fgsm" or targeted:
        other = dataclasses.replace(attack, seed=5)(network, held_out)
        assert not np.array_equal(found, other)


def test_pgd_harms_more_than_fgsm(committed: Checkpoint, held_out: Dataset) -> None:
    network, labels = committed.quantised_network, held_out.labels
    losses = [
        _loss(network, Attack(method, 16)(network, held_out), labels) for method in ("fgsm", "pgd")
    ]
    assert losses[1] > 1.2 * losses[0]


@pytest.mark.parametrize("method", METHODS)
def test_approximated_gradient_attacks_as_well(
    committed: Checkpoint, held_out: Dataset, method: str
) -> None:
    """For direct encoding it differs from autograd by rounding: in few pixels, if any."""
    network, data = committed.float_network, held_out.take(slice(0, 50))
    usual, approximated = (
        Attack(method, 8, gradient=how)(network, data) for how in ("autograd", "approximated")
    )
    assert np.mean(usual != approximated) < 0.01
    assert np.mean(usual != data.images) > 0.4


@pytest.mark.parametrize("which", NETWORKS)
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("eps", [2, 8, 16])
def test_agrees_with_foolbox(
    committed: Checkpoint, held_out: Dataset, which: str, targeted: bool, eps: int
) -> None:
    """Every pixel whose gradient is clear, once Foolbox's floats are back on the grid.

    Of a gradient next to zero the sign is that of the rounding.
    """
    foolbox = pytest.importorskip("foolbox", reason="Foolbox is not installed (extra dev)")
    network: SpikingNetwork = getattr(committed, which)
    images, labels = held_out.images[:100], held_out.labels[:100]
    if targeted:
        labels = random_targets(labels, 10, 1, held_out.numbers[:100])
    copied = copy.deepcopy(network).eval()  # Foolbox leaves gradients in its parameters
    model = foolbox.PyTorchModel(copied, bounds=(0, 1))
    kind = (
        foolbox.criteria.TargetedMisclassification
        if targeted
        else (foolbox.criteria.Misclassification)
    )
    attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    if targeted:
        attack = foolbox.attacks.LinfBasicIterativeAttack(
            abs_stepsize=eps / 255, steps=1, random_start=False
        )
    theirs, _, _ = attack(
        model, as_input(images), kind(torch.from_numpy(labels)), epsilons=[eps / 255]
    )
    on_grid = (theirs[0] * 255).round()
    assert (theirs[0] * 255 - on_grid).abs().max() < 1e-3
    ours = fgsm(network, images, labels, eps, targeted=targeted)
    clear = clear_of_zero(by_pixels(network, as_input(images), torch.from_numpy(labels)))
    assert np.array_equal(ours[clear], on_grid.to(torch.uint8).numpy()[clear])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fgsm", 256), "eps is 256: must be 0 to 255"),
        (("fgsm", 8 / 255), r"eps is 0\.03.*: must be 0 to 255, in 1/255, and a whole number"),
        (
            ("pgd", 8.0),
            r"eps is 8\.0: must be 0 to 255, in 1/255, and a whole number: 8 stands for",
        ),
        (("rfgsm", True), "eps is True: must be"),
        (("fgsm", np.uint8(8)), r"eps is .*8.*: must be"),  # its negative would be 248
        (("cw", 8), "unknown attack 'cw': must be one of fgsm, rfgsm, pgd"),
    ],
)
def test_bad_attacks(arguments: tuple[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Attack(*arguments)


def test_bad_steps(committed: Checkpoint, held_out: Dataset) -> None:
    network, images, labels = committed.float_network, held_out.images[:2], held_out.labels[:2]
    numbers = held_out.numbers[:2]
    with pytest.raises(InputError, match="alpha: is 9, must be an integer from 0 to 8"):
        rfgsm(network, images, labels, 8, alpha=9, numbers=numbers)
    with pytest.raises(InputError, match="steps: is 0, must be an integer from 1 to 10000"):
        pgd(network, images, labels, 8, steps=0, numbers=numbers)
    with pytest.raises(InputError, match="classes of a targeted attack: is 1"):
        random_targets(labels, 1, 0, numbers)
