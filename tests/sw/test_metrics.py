"""Accuracy, adversarial loss, and evaluation in batches."""

import numpy as np
import pytest

from sw import metrics
from sw.checkpoint import Checkpoint
from sw.data import Dataset
from sw.metrics import accuracy, adv_loss, evaluate
from sw.model import as_input


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
