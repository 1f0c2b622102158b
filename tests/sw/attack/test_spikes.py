"""Attacks on spikes: few changes, of the right kind, where the gradient says, never for nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.image_sets import attack_of
from sw.attack.methods.budget import Budget
from sw.attack.methods.spikes import insert, shift
from sw.attack.set_names import KINDS, OF_SPIKES
from sw.attack.victim import Labels, Victim
from sw.common.errors import InputError
from sw.data.dataset import Dataset, Images
from sw.model.network import SpikingNetwork
from tests.support.saccades import SMALL, STEPS, moved_digits
from tests.support.subjects import make_networks

CONFIG = replace(SMALL, norm=False)
COUNT = 20


@pytest.fixture(scope="module")
def network() -> SpikingNetwork:
    """Of random weights, quantised."""
    found = SpikingNetwork(CONFIG, CONFIG.weight_bits)
    found.reset(3)
    return found.eval()


@pytest.fixture(scope="module")
def data(network: SpikingNetwork) -> Dataset:
    """Its own answers are the labels, so there is something to lose."""
    spikes, _ = moved_digits(COUNT)
    with torch.no_grad():
        labels = network(torch.from_numpy(spikes).float()).argmax(1).numpy()
    return Dataset("spikes", spikes, labels, CONFIG.classes)


def victim(network: SpikingNetwork, data: Dataset) -> Victim:
    return Victim(network, Labels(data.labels, data.numbers))


def changes(found: Images, data: Dataset) -> np.ndarray:
    """Spikes more and spikes less of each input."""
    step = found.astype(int) - data.images
    return np.stack([(step == sign).sum(axis=(1, 2, 3, 4)) for sign in (1, -1)], 1)


@pytest.mark.parametrize("strength", [1, 5, 40])
def test_changes_are_few_and_of_their_kind(
    network: SpikingNetwork, data: Dataset, strength: int
) -> None:
    made = {name: Attack(name, strength)(network, data) for name in OF_SPIKES}
    for name, found in made.items():
        assert found.dtype == np.uint8
        assert set(np.unique(found)) == {0, 1}, name
        assert not np.array_equal(found, data.images), name
    more, less = changes(made["insert"], data).T
    assert more.max() == strength
    assert not less.any()
    more, less = changes(made["drop"], data).T
    assert less.max() == strength
    assert not more.any()
    assert changes(made["flip"], data).sum(1).max() == strength
    assert (changes(made["blind"], data).sum(1) == strength).all()
    more, less = changes(made["shift"], data).T
    assert np.array_equal(more, less)
    assert more.max() == strength
    assert np.array_equal(made["shift"].sum(1), data.images.sum(1, dtype=np.uint8))


def test_a_network_is_never_better_off(network: SpikingNetwork, data: Dataset) -> None:
    before = victim(network, data).margins(data.images, Labels(data.labels, data.numbers))
    for name in ("insert", "drop", "flip", "shift"):
        found = Attack(name, 20)(network, data)
        after = victim(network, data).margins(found, Labels(data.labels, data.numbers))
        assert (after <= before).all(), name
        assert after.mean() < before.mean(), name


def test_the_first_change_is_the_best_of_all(network: SpikingNetwork, data: Dataset) -> None:
    """One spike more: where the gradient is largest of all places without one."""
    look = victim(network, data).look(data.images)
    found, made = insert(victim(network, data), data.images, Budget(1)), 0
    for image, clean, up in zip(found, data.images, look.uphill, strict=True):
        if np.array_equal(image, clean):  # it does not help, though the gradient says so
            continue
        (place,) = np.flatnonzero(image != clean)
        assert up.reshape(-1)[place] == up[clean == 0].max() > 0
        made += 1
    assert made > COUNT / 2


def test_a_shift_goes_to_the_best_step(network: SpikingNetwork, data: Dataset) -> None:
    look = victim(network, data).look(data.images)
    found = shift(victim(network, data), data.images, Budget(1))
    moved = 0
    for image, clean, up in zip(found, data.images, look.uphill, strict=True):
        gains = [
            slopes[fires == 0].max() - slopes[fires == 1].min()
            for fires, slopes in zip(
                clean.reshape(STEPS, -1).T, up.reshape(STEPS, -1).T, strict=True
            )
            if 0 < fires.sum() < STEPS
        ]
        if not np.array_equal(image, clean):
            made = float((image.astype(int) - clean).reshape(-1) @ up.reshape(-1))
            assert made == pytest.approx(max(gains))
            moved += 1
    assert moved


def test_gradient_by_spikes_is_autograds(network: SpikingNetwork, data: Dataset) -> None:
    look = victim(network, data).look(data.images)
    spikes = torch.from_numpy(data.images).float().requires_grad_()
    loss = torch.nn.functional.cross_entropy(
        network(spikes), torch.from_numpy(data.labels), reduction="sum"
    )
    (gradient,) = torch.autograd.grad(loss, spikes)
    assert np.array_equal(look.uphill, gradient.numpy())
    assert look.uphill.any()


def test_the_same_in_any_company_and_by_the_seed(network: SpikingNetwork, data: Dataset) -> None:
    part = data.take(slice(7, 12))
    for name in OF_SPIKES:
        attack = Attack(name, 9, seed=3)
        assert np.array_equal(attack(network, data), attack(network, data))
    assert np.array_equal(
        Attack("blind", 9, seed=3)(network, part), Attack("blind", 9, seed=3)(network, data)[7:12]
    )
    one, other = (Attack("blind", 9, seed=seed)(network, data) for seed in (3, 4))
    assert not np.array_equal(one, other)


def test_more_than_there_are_drops_all(network: SpikingNetwork, data: Dataset) -> None:
    few = data.images.copy()
    few[:, 3:] = 0
    few[:, :, :, 4:] = 0
    found = Attack("drop", 255)(network, Dataset("spikes", few, data.labels, CONFIG.classes))
    assert (found <= few).all()


def test_no_spikes_and_no_strength(network: SpikingNetwork, data: Dataset) -> None:
    for name in OF_SPIKES:
        assert len(Attack(name, 8)(network, data.take(slice(0)))) == 0
        assert np.array_equal(Attack(name, 0)(network, data), data.images)


def test_sets_and_networks_that_do_not_fit(network: SpikingNetwork, data: Dataset) -> None:
    assert set(OF_SPIKES) < set(KINDS)
    for name in OF_SPIKES:
        assert attack_of(f"{name}_4", seed=2) == Attack(name, 4, seed=2)
    digits = make_networks(0).quantised_network
    with pytest.raises(InputError, match="takes images, and attack flip changes spikes: take one"):
        attack_of("flip_4").check(digits.config)
    with pytest.raises(InputError, match="sets of nc64c cosim that change spikes are insert, drop"):
        attack_of("fgsm_4").check(network.config)
