"""Algorithm 1: who makes the images, who answers, and weights that are as they were."""

import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.robustness import measure, quantised
from sw.data.dataset import Dataset
from sw.model.metrics import accuracy, evaluate, nsr
from sw.model.network import SpikingNetwork, as_input
from sw.train.checkpoint import Checkpoint

ATTACKS = {
    "fgsm_8": Attack("fgsm", 8),
    "pgd_16": Attack("pgd", 16, seed=3),
    "fgsm_2": Attack("fgsm", 2),  # goes with the first one
    "towards": Attack("fgsm", 8, targeted=True),
}


@pytest.mark.slow
def test_white_box_is_the_targets_own(committed: Checkpoint, held_out: Dataset) -> None:
    network, data = committed.quantised_network, held_out.take(slice(0, 80))
    found = measure(network, data, ATTACKS)
    clean = evaluate(network, data.images)
    assert found.clean.accuracy == accuracy(clean.predictions, data.labels)
    assert list(found.attacked) == list(ATTACKS)
    for name, attack in ATTACKS.items():
        expected = evaluate(network, attack(network, data))
        right = accuracy(expected.predictions, data.labels)
        assert found.attacked[name].accuracy == right
        assert found.adv_loss(name) == found.clean.accuracy - right
        assert found.attacked[name].spikes == expected.spikes
        assert found.nsr(name) == {
            layer: nsr(clean.spikes[layer], expected.spikes[layer]) for layer in clean.spikes
        }
        activity = found.attacked[name].activity["fc1"]
        assert activity == expected.spikes["fc1"] / (64 * 80)


def test_transfer_takes_the_attack_models_images(committed: Checkpoint, held_out: Dataset) -> None:
    """An untrained attack model harms less than the target itself."""
    target, data = committed.float_network, held_out.take(slice(0, 200))
    attacker = SpikingNetwork(committed.config)
    attacker.reset(8)
    attack = Attack("fgsm", 32)
    found = measure(target, data, {"x": attack}, attacker)
    images = attack(attacker, data)
    expected = accuracy(evaluate(target, images).predictions, data.labels)
    assert found.attacked["x"].accuracy == expected
    assert found.adv_loss("x") < measure(target, data, {"x": attack}).adv_loss("x")


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_quantised_for_a_while(committed: Checkpoint, held_out: Dataset, bits: int) -> None:
    network, images = committed.float_network, as_input(held_out.images[:20])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fresh = SpikingNetwork(committed.config, bits)
    fresh.load_state_dict(before)
    scores = network(images)
    with quantised(network, bits) as seen:
        assert torch.equal(seen(images), fresh.eval()(images))
        assert not torch.equal(seen(images), scores)
    assert network.weight_bits is None
    assert torch.equal(network(images), scores)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_restored_after_an_error(committed: Checkpoint) -> None:
    network = committed.quantised_network
    with pytest.raises(KeyError), quantised(network, None):
        raise KeyError
    assert network.weight_bits == 4
