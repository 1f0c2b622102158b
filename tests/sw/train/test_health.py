"""Health: each kind of number that is none is named, though the network's answers hide it."""

import dataclasses

import pytest
import torch

from sw.data.dataset import Dataset
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork, as_input
from sw.train import health
from sw.train.loop import Diverged, train
from sw.train.settings import TrainSettings

CONFIG = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("fc", 8)))
BARE = dataclasses.replace(CONFIG, norm=False)


def _network(config: NetworkConfig = CONFIG) -> SpikingNetwork:
    network = SpikingNetwork(config)
    network.reset(1)
    return network


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_and_what_batch_norm_has_measured(held_out: Dataset, value: float) -> None:
    for name in _network().state_dict():
        network = _network()
        if name.endswith("num_batches_tracked"):
            continue
        with torch.no_grad():
            network.state_dict()[name].flatten()[-1] = value
        assert health.of_weights(network) == f"{name} is no finite number"
    assert health.of_weights(_network()) is None


def test_a_network_of_nan_is_silent_and_its_scores_are_finite(held_out: Dataset) -> None:
    """Why the loss does not tell."""
    network = _network()
    with torch.no_grad():
        network.chain[0].weight.fill_(float("nan"))
    trace = network.trace(as_input(held_out.images[:8]))
    assert not any(spikes.any() for spikes in trace.spikes.values())
    assert trace.scores.isfinite().all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_gradients_and_their_squares(value: float) -> None:
    network = _network()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    assert health.of_gradients(network) is None
    weight = network.chain[1].weight
    assert weight.grad is not None
    weight.grad[3, 2] = value
    assert health.of_gradients(network) == "the gradient of layers.fc1.weight is no finite number"


@pytest.mark.parametrize("training", [False, True])
def test_membranes(held_out: Dataset, training: bool) -> None:
    """Finite weights, each of them; their sum is not."""
    network, images = _network(BARE).train(training), as_input(held_out.images[:8])
    assert health.of_membranes(network, images) is None
    with torch.no_grad():
        network.chain[0].weight.fill_(3e38)
    assert health.of_weights(network) is None
    assert health.of_membranes(network, images) == "a membrane of conv1 is no finite number"
    assert network.training == training
    assert not any(layer._forward_hooks for layer in network.chain)


def test_a_training_ends_with_the_step_at_which_the_weights_went(
    held_out: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, count = torch.optim.AdamW.step, [0]

    def spoil(self: torch.optim.AdamW, closure: None = None) -> None:
        step(self, closure)
        count[0] += 1
        if count[0] == 3:  # of 2 in each epoch
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(float("nan"))

    monkeypatch.setattr(torch.optim.AdamW, "step", spoil)
    settings = TrainSettings(epochs=2, quantised_epochs=1, batch=32)
    sentence = r"training diverged: layers\.conv1\.weight is no finite number at step 3 of 4"
    with pytest.raises(Diverged, match=sentence) as caught:
        train(CONFIG, held_out.take(slice(64)), settings)
    assert caught.value.last_good is not None
    for network in (caught.value.last_good.float_network, caught.value.last_good.quantised_network):
        assert health.of_weights(network) is None


def test_a_training_ends_with_membranes_that_are_no_numbers(held_out: Dataset) -> None:
    first = _network(BARE)
    with torch.no_grad():
        first.chain[0].weight[0].fill_(3e38)  # its one channel fires always: finite to the loss
    settings = TrainSettings(epochs=1, quantised_epochs=0, batch=32)
    with pytest.raises(Diverged, match=r"a membrane of conv1 is no finite number at step 2 of 2"):
        train(BARE, held_out.take(slice(64)), settings, first=first)
