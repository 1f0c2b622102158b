"""First weights without batch norm: every layer fires, and less so behind a higher threshold."""

import pytest
import torch

from sw.model.config.inputs import Encoding
from sw.model.metrics import evaluate
from sw.model.network import SpikingNetwork
from sw.paper.phenomena.awake import IMAGES, SPREAD, AwakeTraining, drives, first
from sw.paper.phenomena.grid import grid, trainings
from sw.paper.presets import ENCODINGS, PRESETS
from sw.paper.worker import Source, images
from tests.sw.paper.phenomena.conftest import SCALE

TRAIN, TEST = images(Source(SCALE, None))


def task(encoding: Encoding, theta: float) -> AwakeTraining:
    places = grid(PRESETS["phenomena"], TRAIN, TEST)
    (found,) = (
        task
        for task in trainings(places.values())
        if isinstance(task, AwakeTraining)
        and (task.network.encoding, task.network.theta_conv) == (encoding, theta)
        and task.settings.seed == 1
    )
    return found


def start(encoding: Encoding, theta: float) -> SpikingNetwork:
    network = first(task(encoding, theta), TRAIN)
    assert network is not None
    return network


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_drives_have_the_spread(encoding: Encoding) -> None:
    network = start(encoding, 0.8)
    values = network.inputs_of(torch.from_numpy(TRAIN.images[:IMAGES]))
    for layer in network.chain[:-1]:
        spread = drives(network, layer, values).detach().std()
        assert float(spread) == pytest.approx(SPREAD, rel=1e-4)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_layers_fire_at_all_thresholds(encoding: Encoding) -> None:
    low, high = (evaluate(start(encoding, theta), TEST.images).spikes for theta in (0.4, 1.0))
    assert min(high.values()) > 0
    assert sum(low.values()) > 1.2 * sum(high.values())


def test_the_threshold_is_not_in_the_first_layer() -> None:
    low, high = (start("direct", theta).chain[0].weight for theta in (0.4, 1.0))
    assert torch.equal(low, high)


def test_with_batch_norm_nothing_is_changed() -> None:
    places = grid(PRESETS["phenomena"], TRAIN, TEST)
    normed = next(
        task for task in trainings(places.values()) if not isinstance(task, AwakeTraining)
    )
    assert first(normed, TRAIN) is None
