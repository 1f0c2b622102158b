"""Training: repeatable, first float, then quantised, and stopped when it diverges."""

import dataclasses
from typing import Any

import pytest
import torch

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.data.datasets import load
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork
from sw.train import training_state
from sw.train.loop import Trained, train
from sw.train.settings import TrainSettings

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(
    DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("conv", 4, pool=True))
)
SETTINGS = TrainSettings(epochs=2, quantised_epochs=1, batch=32)


def _images(count: int) -> Dataset:
    return load("digits", "train").take(slice(count))


def _weights(trained: Trained) -> list[torch.Tensor]:
    networks = (trained.float_network, trained.quantised_network)
    return [value for network in networks for value in network.state_dict().values()]


def test_the_same_seed_trains_the_same_weights() -> None:
    first, again = (_weights(train(TINY, _images(200), SETTINGS)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_it_neither_uses_nor_disturbs_the_global_generator() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = _weights(train(TINY, _images(64), SETTINGS))
    assert torch.equal(torch.rand(1), expected)
    again = _weights(train(TINY, _images(64), SETTINGS))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_another_seed_trains_others() -> None:
    other = dataclasses.replace(SETTINGS, seed=2)
    first, second = (_weights(train(TINY, _images(64), used)) for used in (SETTINGS, other))
    assert not torch.equal(first[0], second[0])


def test_another_seed_takes_the_images_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    reset = SpikingNetwork.reset
    monkeypatch.setattr(SpikingNetwork, "reset", lambda self, seed: reset(self, 1))
    other = dataclasses.replace(SETTINGS, seed=2)
    first, second = (_weights(train(TINY, _images(64), used)) for used in (SETTINGS, other))
    assert not torch.equal(first[0], second[0])


def test_the_number_of_threads_is_put_back() -> None:
    torch.set_num_threads(2)
    train(TINY, _images(64), dataclasses.replace(SETTINGS, epochs=1, quantised_epochs=0))
    assert torch.get_num_threads() == 2


def test_progress_counts_both_parts_as_one() -> None:
    seen: list[tuple[int, int]] = []
    losses: list[float] = []

    def note(step: int, total: int, loss: float, right: float) -> None:
        seen.append((step, total))
        losses.append(loss)
        assert 0 <= right <= 100

    train(TINY, _images(200), SETTINGS, note)
    assert seen == [(step, 21) for step in range(1, 22)]  # 3 epochs of 7 batches
    assert sum(losses[-7:]) < sum(losses[:7])


def test_it_learns() -> None:
    """Guessing is right on 10 %; how far above that it comes hangs on a processor's rounding."""
    images = _images(400)
    settings = dataclasses.replace(SETTINGS, epochs=20, quantised_epochs=5, batch=16)
    trained = train(TINY, images, settings)
    for network in (trained.float_network, trained.quantised_network):
        assert not network.training
        assert accuracy(evaluate(network, images.images).predictions, images.labels) > 50


def test_the_quantised_network_starts_from_the_float_one() -> None:
    settings = dataclasses.replace(SETTINGS, quantised_epochs=0)
    trained = train(TINY, _images(64), settings)
    assert trained.float_network.weight_bits is None
    assert trained.quantised_network.weight_bits == 4
    float_weights, weights = (
        network.state_dict() for network in (trained.float_network, trained.quantised_network)
    )
    assert all(torch.equal(value, weights[name]) for name, value in float_weights.items())


def test_quantised_training_leaves_the_float_network_alone() -> None:
    without = dataclasses.replace(SETTINGS, quantised_epochs=0)
    networks = [train(TINY, _images(64), used).float_network for used in (SETTINGS, without)]
    first, second = (network.state_dict() for network in networks)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize(("poisoned", "part"), [(None, "float weights"), (4, "weights of 4 bits")])
def test_divergence_names_the_step(
    monkeypatch: pytest.MonkeyPatch, poisoned: int | None, part: str
) -> None:
    forward, calls = SpikingNetwork.forward, [0]

    def scores(self: SpikingNetwork, images: torch.Tensor) -> torch.Tensor:
        calls[0] += self.weight_bits == poisoned
        return forward(self, images) * (float("nan") if calls[0] == 2 else 1)

    monkeypatch.setattr(SpikingNetwork, "forward", scores)
    settings = dataclasses.replace(SETTINGS, quantised_epochs=2)
    sentence = rf"training diverged: the loss is nan at step 2 of 4 \({part}\); try"
    with pytest.raises(InputError, match=sentence):
        train(TINY, _images(64), settings)


def test_it_starts_with_the_weights_that_it_is_given() -> None:
    first = train(TINY, _images(64), SETTINGS).float_network
    before = {name: value.clone() for name, value in first.state_dict().items()}
    begun = training_state.start(TINY, SETTINGS, _images(64), first).network
    assert all(torch.equal(value, before[name]) for name, value in begun.state_dict().items())

    drawn, given, again = (
        _weights(train(TINY, _images(64), SETTINGS, first=start)) for start in (None, first, first)
    )
    assert not torch.equal(drawn[0], given[0])
    assert all(torch.equal(a, b) for a, b in zip(given, again, strict=True))
    assert all(torch.equal(value, before[name]) for name, value in first.state_dict().items())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"layers": (LayerSpec("conv", 4, pool=True), LayerSpec("conv", 5, pool=True))},
            r"layers\.conv2\.weight is \[5, 4, 3, 3\]: must be \[4, 4, 3, 3\]",
        ),
        ({"norm": False}, r"layers\.conv1\.norm\.weight is not there: must be \[4\]"),
    ],
)
def test_first_weights_of_other_layers_are_refused(change: dict[str, Any], sentence: str) -> None:
    first = SpikingNetwork(dataclasses.replace(TINY, **change))
    with pytest.raises(InputError, match=f"first weights: are of digits, whose {sentence}"):
        train(TINY, _images(64), SETTINGS, first=first)


def test_images_of_another_shape_are_refused() -> None:
    other = dataclasses.replace(TINY, input_shape=(3, 8, 8))
    with pytest.raises(InputError, match=r"network digits takes images of \(3, 8, 8\)"):
        train(other, _images(64), SETTINGS)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("epochs", 0, "epochs: is 0, must be an integer from 1"),
        ("batch", 1, "batch: is 1, must be an integer from 2"),
        ("seed", -1, "seed: is -1"),
        ("rate", 0.0, "rate is 0.0: must be above 0"),
        ("quantised_rate", float("nan"), "quantised rate is nan: must be above 0"),
        ("weight_decay", -1.0, "weight decay is -1.0: must be 0 or more"),
        ("start", "0f", "start is '0f': must be a SHA-256 of 64 hexadecimal digits"),
    ],
)
def test_bad_settings(field: str, value: float | str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        dataclasses.replace(SETTINGS, **{field: value})  # type: ignore[arg-type]
