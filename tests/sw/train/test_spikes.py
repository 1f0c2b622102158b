"""Networks that take spikes: how they are shown recordings while they train and are measured."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.model import metrics
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork, as_input
from sw.train import loop, training_state
from sw.train.settings import TrainSettings
from tests.support.saccades import SHAPE, SMALL, STEPS, moved_digits

CONFIG = replace(SMALL, tick=0.01)


def _network() -> SpikingNetwork:
    network = SpikingNetwork(CONFIG)
    network.reset(0)
    return network.eval()


def test_a_step_takes_the_spikes_of_that_step() -> None:
    """As a network that takes images of the same spikes does, each step by itself."""
    spikes, _ = moved_digits(4)
    network = _network()
    seen = network.encode(network.inputs_of(torch.from_numpy(spikes)))
    assert torch.equal(seen, torch.from_numpy(spikes.swapaxes(0, 1)).float())
    layer = network.chain[0]
    with torch.no_grad():
        drives = torch.stack([layer(step, None) for step in seen])
        spikes_of = network._fire(layer, drives)
        trace = network.trace(network.inputs_of(torch.from_numpy(spikes)))
    assert torch.equal(trace.spikes["conv1"], spikes_of)
    assert spikes_of.any()


def test_pixels_are_still_shares_of_255() -> None:
    images = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    network = SpikingNetwork(NetworkConfig("a", "digits", (1, 8, 8), ("0",), CONFIG.layers))
    assert torch.equal(network.inputs_of(torch.from_numpy(images)), as_input(images))


def test_all_steps_of_a_recording_are_moved_alike() -> None:
    """Each has one frame in all of its steps: that stays so, and the spikes are those that were."""
    random = np.random.default_rng(0)
    frame = np.zeros((20, 1, *SHAPE), np.uint8)
    frame[..., 5:7, 5:7] = random.integers(0, 2, (20, 1, 2, 2, 2))
    data = Dataset("spikes", frame.repeat(STEPS, 1), np.arange(20) % 10, CONFIG.classes)
    settings = TrainSettings(batch=20, augment=True)
    run = training_state.start(CONFIG, settings, data)
    [(values, labels)] = loop._batches(run, data)
    assert values.shape == (20, STEPS, *SHAPE)
    assert torch.equal(values, values[:, :1].expand_as(values))
    sums = torch.tensor([int(each.sum()) for each in frame])
    order = run_order(settings, 20)
    assert torch.equal(values[:, 0].sum((1, 2, 3)), sums[order].float())
    assert not torch.equal(values[:, 0], torch.from_numpy(frame[order, 0]).float())
    assert torch.equal(labels, order % 10)


def run_order(settings: TrainSettings, count: int) -> torch.Tensor:
    """The order of the first epoch."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(settings.seed))


def test_long_recordings_are_measured_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    spikes, _ = moved_digits(30)
    whole = metrics.evaluate(_network(), spikes)
    assert whole.spikes["conv1"] > 0
    monkeypatch.setattr(metrics, "BATCH_STEPS", 7 * STEPS)
    parts = metrics.evaluate(_network(), spikes)
    assert parts.predictions.tolist() == whole.predictions.tolist()
    assert parts.spikes == whole.spikes


def test_other_data_is_refused() -> None:
    spikes, labels = moved_digits(20)
    for values in (spikes[:, 1:], spikes[:, 0]):
        data = Dataset("spikes", values, labels, CONFIG.classes)
        with pytest.raises(InputError, match=r"takes spikes of \(5, 2, 12, 12\) in 10 classes"):
            loop.train(CONFIG, data, TrainSettings())


@pytest.mark.parametrize(
    ("encoding", "tick"), [("direct", 0.1), ("spikes", 0.0), ("spikes", float("nan"))]
)
def test_a_step_of_no_length(encoding: str, tick: float) -> None:
    with pytest.raises(InputError, match="must be above 0, and of spikes"):
        NetworkConfig(
            name="a",
            dataset="b",
            input_shape=SHAPE,
            classes=("0",),
            layers=CONFIG.layers,
            encoding=encoding,  # type: ignore[arg-type]
            tick=tick,
        )
