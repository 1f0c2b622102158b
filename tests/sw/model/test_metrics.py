"""Accuracy, adversarial loss, spike activity, SNR and NSR, and evaluation in batches."""

import math

import numpy as np
import pytest

from sw.data.dataset import Dataset
from sw.model import metrics
from sw.model.metrics import accuracy, activity, adv_loss, evaluate, mean_activity, nsr, snr
from sw.model.network import as_input
from sw.train.checkpoint import Checkpoint


def test_accuracy_is_in_per_cent() -> None:
    assert accuracy(np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4])) == 75


def test_adv_loss_is_clean_minus_adversarial() -> None:
    assert adv_loss(99.0, 89.5) == 9.5
    assert adv_loss(50.0, 51.0) == -1.0


@pytest.mark.parametrize("batch", [7, 20, 64])
def test_batches_make_no_difference(
    committed: Checkpoint, held_out: Dataset, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "BATCH", batch)
    network, images = committed.quantised_network, held_out.images[:20]
    trace = network.trace(as_input(images))
    found = evaluate(network, images)
    assert found.predictions.tolist() == trace.scores.argmax(1).tolist()
    assert found.spikes == {name: int(spikes.sum()) for name, spikes in trace.spikes.items()}
    assert list(found.spikes) == ["conv1", "conv2", "conv3", "fc1"]


def test_activity_is_spikes_per_neuron_and_image(committed: Checkpoint, held_out: Dataset) -> None:
    network, images = committed.quantised_network, held_out.images[:20]
    trace = network.trace(as_input(images))
    found = activity(network, evaluate(network, images).spikes, len(images))
    expected = {name: spikes.sum(0).mean().item() for name, spikes in trace.spikes.items()}
    assert found == pytest.approx(expected, rel=1e-6)  # the mean was taken in float32
    assert all(0 < value < committed.config.timesteps for value in found.values())


def test_mean_activity_counts_layers_alike() -> None:
    assert mean_activity({"conv1": 0.5, "conv2": 1.0, "fc1": 3.0}) == 1.5


@pytest.mark.parametrize(
    ("clean", "adversarial", "signal", "noise"),
    [
        (100, 99, 100.0, 0.01),
        (100, 125, -4.0, -0.25),
        (100, 0, 1.0, 1.0),
        (7, 7, math.inf, 0.0),
        (0, 0, math.inf, 0.0),
        (0, 5, 0.0, -math.inf),
    ],
)
def test_signal_to_noise_by_hand(clean: int, adversarial: int, signal: float, noise: float) -> None:
    assert snr(clean, adversarial) == signal
    assert nsr(clean, adversarial) == noise
