"""Training that is cut off and goes on: the same weights as without the cut, or one sentence."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.data.datasets import load
from sw.model.architectures import DIGITS
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train.loop import Diverged, Trained, TrainFiles, train
from sw.train.settings import TrainSettings

pytestmark = pytest.mark.slow

TINY = dataclasses.replace(
    DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("conv", 4, pool=True))
)
SETTINGS = TrainSettings(epochs=3, quantised_epochs=2, batch=32, augment=True, validation=20)
PER_EPOCH = 3  # batches of the 80 images that are learnt from


class Killed(Exception):
    """The process ends here, as far as the training can tell."""


def _images() -> Dataset:
    return load("digits", "train").take(slice(100))


def _files(folder: Path) -> TrainFiles:
    return TrainFiles(folder / "x.state", folder / "x.curve.jsonl")


def _kill_at(step: int) -> Any:
    def progress(now: int, _total: int, _loss: float, _accuracy: float) -> None:
        if now == step:
            raise Killed

    return progress


def _same(first: Trained, second: Trained) -> bool:
    pairs = (
        (first.float_network, second.float_network),
        (first.quantised_network, second.quantised_network),
    )
    return all(
        torch.equal(value, b.state_dict()[name])
        for a, b in pairs
        for name, value in a.state_dict().items()
    ) and [{**row, "seconds": 0} for row in first.curve] == [
        {**row, "seconds": 0} for row in second.curve
    ]


def _train(
    folder: Path, *kills: int, config: NetworkConfig = TINY, settings: TrainSettings = SETTINGS
) -> Trained:
    """Train, killed at these steps and started again each time."""
    for step in kills:
        with pytest.raises(Killed):
            train(config, _images(), settings, _kill_at(step), _files(folder))
    return train(config, _images(), settings, files=_files(folder))


@pytest.mark.parametrize(
    "kills",
    [
        (PER_EPOCH + 2,),  # within the second float epoch
        (3 * PER_EPOCH,),  # at the last float step
        (3 * PER_EPOCH + 1,),  # at the first quantised step
        (4 * PER_EPOCH + 1,),  # within the last epoch
        (1, 2 * PER_EPOCH + 1, 4 * PER_EPOCH + 2),  # again and again
    ],
)
def test_a_killed_training_comes_to_the_same_result(tmp_path: Path, kills: tuple[int, ...]) -> None:
    whole = train(TINY, _images(), SETTINGS)
    assert _same(_train(tmp_path, *kills), whole)


def test_with_rate_encoding_too(tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, encoding="rate")
    whole = train(config, _images(), SETTINGS)
    assert whole.quantised_network.draw == 0
    assert _same(_train(tmp_path, 2 * PER_EPOCH + 2, config=config), whole)


def test_a_finished_training_is_only_read(tmp_path: Path) -> None:
    whole = _train(tmp_path)

    def progress(*_: Any) -> None:
        raise AssertionError("there is nothing left to train")

    again = train(TINY, _images(), SETTINGS, progress, _files(tmp_path))
    assert _same(again, whole)


def test_files_do_not_change_the_result(tmp_path: Path) -> None:
    assert _same(_train(tmp_path), train(TINY, _images(), SETTINGS))


def test_the_curve_has_a_row_per_epoch(tmp_path: Path) -> None:
    trained = _train(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "x.curve.jsonl").read_text().splitlines()]
    assert rows == trained.curve
    assert [(row["part"], row["epoch"]) for row in rows] == [
        ("float", 1),
        ("float", 2),
        ("float", 3),
        ("quantised", 1),
        ("quantised", 2),
    ]
    for row in rows:
        assert 0 <= row["accuracy"] <= 100
        assert row["validation"] % 5 == 0, "20 images make steps of 5 per cent"
        assert row["loss"] > 0
        assert row["seconds"] > 0


def test_validation_images_are_not_learnt_from() -> None:
    images = _images()
    order = torch.randperm(100, generator=torch.Generator().manual_seed(SETTINGS.seed))
    changed = images.images.copy()
    changed[order[:20].numpy()] = 255 - changed[order[:20].numpy()]
    other = dataclasses.replace(images, images=changed)
    first, second = (train(TINY, used, SETTINGS) for used in (images, other))
    for network in ("float_network", "quantised_network"):
        a, b = (getattr(trained, network).state_dict() for trained in (first, second))
        assert all(torch.equal(value, b[name]) for name, value in a.items())


def test_too_many_validation_images() -> None:
    settings = dataclasses.replace(SETTINGS, validation=99)
    with pytest.raises(InputError, match="validation images: are 99, but digits has 100"):
        train(TINY, _images(), settings)


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"rate": 1e-3}, {"epochs": 4}, {"start": 64 * "0"}],
)
def test_the_state_of_another_training_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    _train(tmp_path)
    before = (tmp_path / "x.state").read_bytes()
    with pytest.raises(InputError, match=r"training state .*x\.state is of another training"):
        _train(tmp_path, settings=dataclasses.replace(SETTINGS, **change))
    assert (tmp_path / "x.state").read_bytes() == before


def test_the_state_with_other_images_is_refused(tmp_path: Path) -> None:
    _train(tmp_path)
    other = load("digits", "train").take(slice(100, 200))
    with pytest.raises(InputError, match="is of another training"):
        train(TINY, other, SETTINGS, files=_files(tmp_path))


def test_a_damaged_state_is_refused(tmp_path: Path) -> None:
    _train(tmp_path)
    raw = (tmp_path / "x.state").read_bytes()
    (tmp_path / "x.state").write_bytes(raw[:-1])
    with pytest.raises(InputError, match=r"training state .*x\.state is truncated"):
        _train(tmp_path)
    (tmp_path / "x.state").write_bytes(b"nothing of ours")
    with pytest.raises(InputError, match=r"x\.state is not a training state"):
        _train(tmp_path)


def test_divergence_keeps_the_last_whole_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    forward, calls = SpikingNetwork.forward, [0]

    def scores(self: SpikingNetwork, images: torch.Tensor) -> torch.Tensor:
        calls[0] += 1
        return forward(self, images) * (float("nan") if calls[0] == 4 * PER_EPOCH + 2 else 1)

    monkeypatch.setattr(SpikingNetwork, "forward", scores)
    sentence = r"the loss is nan at step 5 of 6 \(weights of 4 bits\); try a learning rate below"
    with pytest.raises(Diverged, match=sentence) as caught:
        train(TINY, _images(), SETTINGS)
    kept = caught.value.last_good
    assert kept is not None
    assert len(kept.curve) == 4
    monkeypatch.undo()

    whole = train(TINY, _images(), dataclasses.replace(SETTINGS, quantised_epochs=0))
    for name, value in whole.float_network.state_dict().items():
        assert torch.equal(kept.float_network.state_dict()[name], value)
    assert all(value.isfinite().all() for value in kept.quantised_network.state_dict().values())
    assert kept.quantised_network.weight_bits == 4
    assert kept.float_network.weight_bits is None
    assert not kept.quantised_network.training


def test_divergence_in_the_first_epoch_has_nothing_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores(self: SpikingNetwork, images: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 10), float("inf"), requires_grad=True)

    monkeypatch.setattr(SpikingNetwork, "forward", scores)
    with pytest.raises(Diverged, match="step 1 of 9") as caught:
        train(TINY, _images(), SETTINGS)
    assert caught.value.last_good is None
