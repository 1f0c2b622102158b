"""Models that are shown normalised images: the network takes the images, and answers as they do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import cosim.api as nc64c
from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.convert.float_layer import FloatLayer
from sw.convert.kept.folder import NETWORK_FILE, beside
from sw.convert.kept.imported import Imported
from sw.convert.linear_map import LinearMap
from sw.convert.steps import drive_of, steps
from sw.convert.traced.normalised import Normalisation
from sw.data.user.inputs import UserInputs
from sw.integer import inference, network_file
from sw.integer.network import INPUT
from sw.integer.window import Window
from sw.model.geometry import Geometry
from tests.support.spiking import (
    STEPS,
    SnnTorchNet,
    counted,
    images,
    snntorch,
    spikingjelly_net,
    trained,
)

MEAN, STD = 0.31, 0.37
COUNT = 40
SMALL = ChipShape(2, 2, 128, 64)


def _normal(pixels: Tensor) -> Tensor:
    return (pixels - MEAN) / STD


def _trained(monkeypatch: pytest.MonkeyPatch, make: Any) -> nn.Module:
    """A model that has learnt from normalised digits."""

    def normal(split: Any, count: int) -> tuple[Tensor, Tensor]:
        pixels, labels = images(split, count)
        return _normal(pixels), labels

    with monkeypatch.context() as patched:
        patched.setattr("tests.support.spiking.images", normal)
        return trained(make)


def _shown(count: int = COUNT) -> UserInputs:
    pixels, labels = images("test", count)
    return UserInputs((pixels * 255).round().numpy().astype(np.uint8), False, labels.numpy())


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(3, 1, 1), (5, 2, 2), (4, 3, 0), (3, 2, 1), (1, 1, 0)]
)
def test_a_convolution_drives_as_it_did(kernel: int, stride: int, padding: int) -> None:
    """Also at the border, where zeros of the padding are no pixels of 0."""
    random = np.random.default_rng(kernel + stride)
    way = Geometry(kernel, stride, padding)
    weights = random.normal(size=(4, 3, kernel, kernel))
    _same_drive(LinearMap(weights, random.normal(size=4), Window(way, way), (3, 9, 8)), padding)


def test_a_dense_layer_drives_as_it_did() -> None:
    random = np.random.default_rng(1)
    _same_drive(LinearMap(random.normal(size=(5, 216)), random.normal(size=5), None, (3, 9, 8)), 0)


def _same_drive(drive: LinearMap, padding: int) -> None:
    layer = FloatLayer("first", (INPUT,), drive, 0.5, np.ones(len(drive.weights)), True)
    of = Normalisation((0.48, 0.45, 0.4), (0.23, 0.5, 1.25))
    folded = of.folded(layer)
    assert folded.drive.bias.ndim == (3 if padding else 1)
    assert ("by neuron" in of.sentence(folded)) == bool(padding)
    pixels = torch.rand(2, 3, *drive.inputs, dtype=torch.float64)
    mean, std = (torch.tensor(each).reshape(3, 1, 1) for each in np.array((of.mean, of.std)))
    wanted = drive_of(layer, {INPUT: (pixels - mean) / std})
    found = drive_of(folded, {INPUT: pixels})
    assert torch.allclose(found, wanted, rtol=0, atol=1e-12)
    assert not torch.allclose(drive_of(layer, {INPUT: pixels}), wanted, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["snntorch-conv", "snntorch-dense", "spikingjelly-conv"])
def test_it_answers_as_the_model_does_on_normalised_images(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every spike on the sample (the import checks that), every answer; golden is the integers."""
    convolution = kind.endswith("conv")
    model = _trained(
        monkeypatch,
        lambda: spikingjelly_net(True) if "jelly" in kind else SnnTorchNet(convolution),
    )
    pixels, labels = images("test", COUNT)
    found = nc64c.import_torch(model, _normal(pixels), STEPS, mean=MEAN, std=[STD])
    assert found.document["checked"]["different"] == 0
    assert found.document["checked"]["spikes"] > 500
    assert found.network.encoding == "direct"
    assert any("mean 0.31, std 0.37 is in the weights" in each for each in _said(found))
    assert found.network.layers[0].bias.ndim == (3 if convolution else 1)
    with torch.no_grad():
        theirs = counted(model, _normal(pixels)).argmax(1)
    assert (theirs == labels).float().mean() > 0.5  # it has learnt; by guessing a tenth is right
    first = steps(found, _shown().values)[0]
    assert first.predictions.tolist() == theirs.tolist()
    answers = inference.run(found.network, _shown().values).predictions
    assert (answers == theirs.numpy()).mean() > 0.9
    done = run_own(found.network, choose_mapping(found.network, SMALL), {"in": _shown(8)}, None)
    assert done.equal


def _said(found: Imported) -> list[str]:
    decisions: list[str] = found.document["decisions"]
    return decisions


@pytest.mark.slow
def test_it_is_kept_calibrated_and_trained_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = _trained(monkeypatch, lambda: SnnTorchNet(True))
    sample = _normal(images("test", COUNT)[0])
    plain = nc64c.import_torch(model, sample, STEPS, mean=MEAN, std=STD, bits=2)
    for number, found in enumerate(
        (
            plain,
            nc64c.calibrate(plain, _shown().values),
            nc64c.finetune(plain, _shown(), nc64c.FineTuning(epochs=1)),
        )
    ):
        folder = tmp_path / str(number)
        nc64c.save_import(found, folder, _shown())
        network = network_file.load(folder / NETWORK_FILE)
        again = beside(folder / NETWORK_FILE, network)
        assert again is not None
        for mine, theirs in zip(again.floats, found.floats, strict=True):
            assert np.array_equal(mine.drive.bias, theirs.drive.bias)
        assert [each.name for each in steps(again, _shown(4).values)]
        rows = [steps(each, _shown().values)[-1] for each in (found, again)]
        assert rows[0].predictions.tolist() == rows[1].predictions.tolist()
        assert rows[0].spikes == rows[1].spikes


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mean": 0.1}, "sample's pixels were 0.1 to 1.1: must be 0 to 1; is the sample"),
        ({"mean": [0.1, 0.2], "std": 1}, "mean: has 2 numbers, the images have 1 channels"),
        ({"std": 0.0}, "must be numbers, std above 0"),
        ({"mean": float("nan")}, "must be numbers, std above 0"),
        ({"mean": []}, "must be a number for each channel"),
        ({"mean": 0.0, "inputs": "rate"}, "images with a mean and std are shown as they are"),
    ],
)
def test_bad_means(options: dict[str, Any], sentence: str) -> None:
    snntorch()
    torch.manual_seed(1)
    with pytest.raises(InputError, match=sentence):
        nc64c.import_torch(SnnTorchNet(False), images("test", 4)[0], STEPS, **options)


def test_images_that_change_from_step_to_step() -> None:
    class OneStep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 4)
            self.lif = snntorch().Leaky(beta=0.5, init_hidden=True, reset_mechanism="zero")

        def forward(self, given: Tensor) -> Tensor:
            spikes: Tensor = self.lif(self.fc(given.flatten(1)))
            return spikes

    pixels = images("test", 2)[0]
    sample = [pixels * share for share in (1, 0.5)]
    with pytest.raises(InputError, match="the sample must be the same in all steps"):
        nc64c.import_torch(OneStep(), sample, 2, mean=0.0)
