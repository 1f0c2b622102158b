"""The committed VGG5 for CIFAR-10: what it is, that it fits the chip, and its integers."""

import numpy as np
import pytest
import torch

from cosim.mapping.resident import map_network
from sw.files.paths import CHECKPOINTS
from sw.integer.fold import fold
from sw.integer.inference import run
from sw.model.network import as_input
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint

PATH = CHECKPOINTS / "vgg5-resident.safetensors"


@pytest.fixture(scope="module")
def loaded() -> Checkpoint:
    return checkpoint.load(PATH)


def test_it_is_what_the_document_says(loaded: Checkpoint) -> None:
    config, settings = loaded.config, loaded.settings
    assert (config.name, config.dataset, config.timesteps, config.weight_bits) == (
        "vgg5",
        "cifar10",
        4,
        4,
    )
    assert [layer.features for layer in config.layers] == [32, 16, 24, 256]
    assert (settings.epochs, settings.quantised_epochs, settings.seed) == (8, 3, 1)
    assert len(PATH.with_suffix(".curve.jsonl").read_text().splitlines()) == 11


def test_it_is_resident(loaded: Checkpoint) -> None:
    program = map_network(fold(loaded.quantised_network))
    assert len(program.cores) <= 64


def test_its_integers_fire_where_it_fires(loaded: Checkpoint) -> None:
    generator = np.random.default_rng(1)
    coarse = generator.integers(0, 256, (6, 3, 8, 8)).repeat(4, axis=2).repeat(4, axis=3)
    images = coarse.astype(np.uint8)  # patches: nearer to pictures than noise is
    with torch.no_grad():
        quantised = loaded.quantised_network.trace(as_input(images))
    trace = run(fold(loaded.quantised_network), images)
    for name, spikes in quantised.spikes.items():
        assert spikes.count_nonzero() > 0
        wrong = np.count_nonzero(trace.spikes[name] != (spikes.numpy() == 1))
        assert wrong == 0, f"{name} differs in {wrong} spikes"
    assert trace.predictions.tolist() == quantised.scores.argmax(1).tolist()
