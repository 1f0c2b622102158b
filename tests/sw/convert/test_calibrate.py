"""Calibration: scales and biases by what weights add to membranes on a sample."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from hw.spec import ChipShape
from sw.convert.calibrate import calibrate
from sw.convert.decisions import Decisions
from sw.convert.kept.folder import NETWORK_FILE, beside, save
from sw.convert.kept.imported import Imported
from sw.convert.steps import drive_of, float_inputs, steps
from sw.convert.traced.model import import_torch
from sw.data.user.inputs import UserInputs
from sw.integer import network_file
from sw.integer.network import INPUT
from tests.support.cli import nc64c
from tests.support.spiking import STEPS, SnnTorchNet, images, trained

SMALL = ChipShape(2, 2, 128, 64)


def pixels(split: str, count: int) -> NDArray[np.uint8]:
    return (images(split, count)[0] * 255).round().numpy().astype(np.uint8)


@pytest.fixture(scope="module")
def imported() -> Imported:
    """Two bits a weight, of which much is lost."""
    net = trained(lambda: SnnTorchNet(False))
    return import_torch(net, images("test", 10)[0], Decisions(STEPS, bits=2))


def test_more_answers_are_those_of_the_model(imported: Imported) -> None:
    tuned = calibrate(imported, pixels("train", 50))
    same = []
    for found in (imported, tuned):
        results = steps(found, pixels("test", 300))
        same.append(float((results[-1].predictions == results[0].predictions).mean()))
        assert [each.name for each in results][:2] == ["framework", "leak"]
    assert same[1] > same[0]
    assert set(tuned.tunings) == {"lif1", "lif2"}  # the counting layer is exact
    assert any("calibrated on 50 inputs" in each for each in tuned.document["decisions"])
    assert any("bias is moved" in each for each in tuned.document["layers"][0]["notes"])
    assert tuned.document["checked"] == imported.document["checked"]


def test_the_first_layer_is_nearer_to_its_floats(imported: Imported) -> None:
    sample = pixels("train", 50)
    tuned = calibrate(imported, sample)
    given = {INPUT: float_inputs(imported.decisions, sample)}
    wanted = drive_of(imported.floats[0], given)
    sizes = []
    for found in (imported, tuned):
        part = found.parts()[0]
        weights = torch.from_numpy(part.codes.codes * part.codes.unit)
        bias = torch.from_numpy(part.layer.bias * part.one)
        drive = given[INPUT].flatten(2) @ weights.T + bias
        sizes.append(float(torch.square(drive - wanted.flatten(2)).sum()))
    assert sizes[1] < 0.9 * sizes[0]


def test_it_is_kept_and_runs_on_the_chip(imported: Imported, tmp_path: Path) -> None:
    tuned = calibrate(imported, pixels("train", 20))
    save(tmp_path, tuned)
    network = network_file.load(tmp_path / NETWORK_FILE)
    again = beside(tmp_path / NETWORK_FILE, network)
    assert again is not None
    for layer, part in zip(network.layers, again.parts(), strict=True):
        assert np.array_equal(layer.weights, part.layer.weights)
        assert np.array_equal(layer.bias, part.layer.bias)
    shown = UserInputs(pixels("test", 6), False, None)
    done = run_own(network, choose_mapping(network, SMALL), {"in": shown}, None, again)
    assert done.equal
    levels: list[dict[str, Any]] = done.sets["in"].levels()
    assert levels[-2]["spikes"]["lif2"] == levels[-1]["spikes"]["lif2"]


def test_a_calibration_needs_a_sample(tmp_path: Path) -> None:
    import nir

    from tests.support.nir_graphs import Drawn

    nir.write(tmp_path / "net.nir", Drawn(0).graph)
    arguments = ("--timesteps", 5, "--dt", "1e-3", "--calibrate", "--out", tmp_path / "out")
    done = nc64c("import", tmp_path / "net.nir", *arguments)
    assert done.exit_code == 2
    assert "needs inputs, give --sample" in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()
