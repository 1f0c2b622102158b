"""Adversarial training: what it learns from, that it goes on as it was, and that it helps."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sw.attack.attacks import Attack
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.data.datasets import load
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.metrics import accuracy, evaluate
from sw.model.network import SpikingNetwork, as_input
from sw.train import adversarial as module
from sw.train import checkpoint
from sw.train.loop import Trained, TrainFiles, train
from sw.train.settings import METHODS, Adversarial, TrainSettings, adversarial

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(
    DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("conv", 4, pool=True))
)
SETTINGS = TrainSettings(epochs=2, quantised_epochs=1, batch=32, validation=36)
PER_EPOCH = 2  # batches of the 64 images that are learnt from
STEPS = {"fgsm": 1, "pgd": 3, "trades": 2}


def _images(count: int = 100) -> Dataset:
    return load("digits", "train").take(slice(count))


def _settings(method: str, **changes: Any) -> TrainSettings:
    how = adversarial(method, 24, STEPS[method])
    return dataclasses.replace(SETTINGS, adversarial=how, **changes)


def _network(bits: int | None = None) -> SpikingNetwork:
    network = SpikingNetwork(TINY, bits)
    network.reset(1)
    return network


def _weights(trained: Trained) -> list[torch.Tensor]:
    networks = (trained.float_network, trained.quantised_network)
    return [value for network in networks for value in network.state_dict().values()]


@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("method", METHODS)
def test_it_learns_from_whole_pixels_within_eps(
    method: str, bits: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    forward = SpikingNetwork.forward

    def look(self: SpikingNetwork, images: torch.Tensor) -> torch.Tensor:
        if self.training:
            seen.append(images.detach())
        return forward(self, images)

    monkeypatch.setattr(SpikingNetwork, "forward", look)
    data, network = _images(40), _network(bits)
    network.train()
    images, labels = as_input(data.images), torch.from_numpy(data.labels)
    module.lesson(network, images, labels, _settings(method))
    (learnt,) = seen
    if method == "trades":
        clean, learnt = learnt.chunk(2)
        assert torch.equal(clean, images)
    pixels = (learnt * 255).numpy()
    assert np.abs(pixels - pixels.round()).max() < 1e-4
    moves = np.abs(pixels.round() - data.images.astype(int))
    assert moves.max() == 24
    assert pixels.min() >= 0
    assert pixels.max() <= 255
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())


def test_pgd_is_the_attack_that_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same start along the same gradient it makes the images of `sw.attack`."""
    data, network, how = _images(40), _network(4).eval(), adversarial("pgd", 24, 5)
    images, labels = as_input(data.images), torch.from_numpy(data.labels)
    starts: list[np.ndarray[Any, Any]] = []

    def begin(_victim: object, clean: np.ndarray[Any, Any], _budget: object) -> Any:
        starts.append(np.random.default_rng(3).integers(-24, 25, clean.shape))
        return np.clip(clean + starts[-1], 0, 255).astype(np.uint8)

    monkeypatch.setattr("sw.attack.methods.pgd.start", begin)
    measured = Attack("pgd", 24, steps=5)(network, data)
    start = torch.from_numpy(starts[0]).float()
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    made = module.attacked(network, images, start, how, lambda scores: loss(scores, labels))
    assert how.stride == 6
    assert np.array_equal((made * 255).round().numpy(), measured)


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_training_comes_to_the_same_result(tmp_path: Path, method: str) -> None:
    settings = _settings(method)
    whole = train(TINY, _images(), settings)
    files = TrainFiles(tmp_path / "x.state", tmp_path / "x.curve.jsonl")
    for kill in (PER_EPOCH + 1, 2 * PER_EPOCH + 2):

        def progress(step: int, *_: Any, kill: int = kill) -> None:
            if step == kill:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train(TINY, _images(), settings, progress, files)
    again = train(TINY, _images(), settings, files=files)
    assert all(torch.equal(a, b) for a, b in zip(_weights(whole), _weights(again), strict=True))
    assert [row["robust"] for row in again.curve] == [row["robust"] for row in whole.curve]


def test_each_step_and_seed_draws_a_start_of_its_own() -> None:
    images = torch.zeros(2, 3, 4, 4)
    starts = [module._start(images, 3, seed, step) for seed in (1, 2) for step in (1, 2)]
    for one, first in enumerate(starts):
        assert set(first.flatten().tolist()) == set(range(-3, 4))
        assert all(not torch.equal(first, other) for other in starts[:one])
    assert torch.equal(starts[0], module._start(images, 3, 1, 1))


def test_without_it_the_weights_are_as_before() -> None:
    assert "robust" not in train(TINY, _images(), SETTINGS).curve[0]


@pytest.mark.parametrize("method", METHODS)
def test_it_is_kept_in_the_checkpoint(tmp_path: Path, method: str) -> None:
    settings = _settings(method)
    networks = Trained(_network(), _network(4))
    checkpoint.save(tmp_path / "x.safetensors", networks, settings)
    assert checkpoint.load(tmp_path / "x.safetensors").settings == settings


def test_it_makes_a_network_more_robust() -> None:
    """Ten times as many images withstand PGD in a trial; how many hangs on the processor."""
    config = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 8, pool=True),))
    images = _images(600)
    plain = dataclasses.replace(SETTINGS, epochs=12, quantised_epochs=4)
    robust = dataclasses.replace(plain, adversarial=adversarial("pgd", 48, 4))
    stands = []
    for settings in (plain, robust):
        network = train(config, images, settings).quantised_network
        worse = Attack("pgd", 48)(network, images)
        stands.append(accuracy(evaluate(network, worse).predictions, images.labels))
    print(stands)
    assert stands[1] > stands[0] + 10


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encoding": "rate"}, "encoding rate has no gradient by the pixels, so there is no adv"),
        ({"encoding": "latency"}, "encoding latency has no gradient by the pixels"),
    ],
)
def test_an_encoding_without_gradient_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=f"network digits: {sentence}"):
        train(dataclasses.replace(TINY, **changes), _images(), _settings("fgsm"))


def test_spikes_are_refused() -> None:
    config = dataclasses.replace(TINY, encoding="spikes", dataset="spikes")
    with pytest.raises(InputError, match="takes spikes, which cannot be moved by 1/255"):
        module.check(config)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("cw", 8), "adversarial 'cw': must be one of fgsm, pgd, trades"),
        (("pgd", 0), "eps: is 0, must be an integer from 1 to 255"),
        (("pgd", 8, 0), "attack steps: is 0, must be an integer from 1"),
        (("fgsm", 8, 4), "attack steps: fgsm has 1, not 4: take pgd for more"),
        (("pgd", 8, 4, 6.0), "TRADES weight is 6.0: is of trades, not of pgd"),
        (("trades", 8, 4, 0.0), "TRADES weight is 0.0: must be above 0"),
        (("trades", 8, 4, float("nan")), "TRADES weight is nan: must be above 0"),
    ],
)
def test_bad_settings(given: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        adversarial(*given)


def test_steps_are_those_of_the_literature() -> None:
    assert adversarial("fgsm").stride == 10  # 1.25 eps
    assert adversarial("pgd") == Adversarial("pgd", 8, 7)
    assert adversarial("pgd").stride == 2  # eps / 4
    assert adversarial("trades").weight == 6
