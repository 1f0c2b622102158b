"""The committed checkpoint: its accuracy, and its integer network against it, spike for spike."""

import numpy as np
import pytest
import torch

from sw.data.dataset import Dataset
from sw.integer.fold import fold
from sw.integer.inference import run
from sw.model.architectures import DIGITS
from sw.model.metrics import accuracy, adv_loss, evaluate
from sw.model.network import as_input
from sw.train.checkpoint import Checkpoint
from sw.train.settings import TrainSettings
from tests.support.attacks import fgsm


def test_it_is_what_the_defaults_train(committed: Checkpoint) -> None:
    assert committed.config == DIGITS
    assert committed.settings == TrainSettings()


@pytest.mark.parametrize("which", ["float_network", "quantised_network"])
def test_accuracy(committed: Checkpoint, held_out: Dataset, which: str) -> None:
    answers = evaluate(getattr(committed, which), held_out.images)
    assert accuracy(answers.predictions, held_out.labels) >= 97.0


def test_float_and_quantised_weights_differ(committed: Checkpoint) -> None:
    """Both levels of the comparison come from the file; neither is the other's copy."""
    first, second = (
        network.chain[1].weight
        for network in (committed.float_network, committed.quantised_network)
    )
    assert not torch.equal(first, second)


@pytest.mark.slow
def test_the_integer_network_is_the_quantised_one(committed: Checkpoint, held_out: Dataset) -> None:
    """All 450 images, clean and attacked: every spike, and so every answer and adversarial loss."""
    network = committed.quantised_network
    integer = fold(network)
    clean = 0.0
    for eps in (0, 2, 8, 16):
        images = fgsm(network, held_out.images, held_out.labels, eps)
        with torch.no_grad():
            quantised = network.trace(as_input(images))
        trace = run(integer, images)
        for name, spikes in quantised.spikes.items():
            wrong = np.count_nonzero(trace.spikes[name] != (spikes.numpy() == 1))
            assert wrong == 0, f"{name} differs in {wrong} spikes at eps {eps}"
        predictions = quantised.scores.numpy().argmax(1)
        assert trace.predictions.tolist() == predictions.tolist()
        right = accuracy(trace.predictions, held_out.labels)
        clean = clean if eps else right
        assert adv_loss(clean, right) <= eps, "an attack this small cannot cost that much here"
