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
from sw.convert.decisions import Decisions
from sw.convert.kept.folder import NETWORK_FILE, beside, save
from sw.convert.kept.imported import Imported
from sw.convert.quantise import Tuning
from sw.convert.steps import float_inputs, run_floats, steps
from sw.convert.traced.model import import_torch
from sw.convert.tuned import calibrate as module
from sw.convert.tuned.calibrate import calibrate
from sw.data.user.inputs import UserInputs
from sw.integer import inference, network_file
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


def test_neurons_of_the_first_layer_fire_more_as_the_floats(imported: Imported) -> None:
    sample = pixels("train", 50)
    tuned = calibrate(imported, sample)
    wanted = run_floats(imported.floats, float_inputs(imported.decisions, sample)).spikes["lif1"]
    sizes = []
    for found in (imported, tuned):
        fired = torch.from_numpy(inference.run(found.network, sample).spikes["lif1"]).double()
        sizes.append(float(torch.square(fired.sum(0) - wanted.sum(0)).sum()))
    assert sizes[1] < 0.9 * sizes[0]


def test_one_that_makes_it_worse_is_left_out(
    imported: Imported, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = {
        name: Tuning(0.1, np.full(imported.network.layers[at].features, -10.0))
        for at, name in enumerate(("lif1", "lif2"))
    }
    monkeypatch.setattr(module, "tuned", lambda *_: silent)
    same = module.calibrate(imported, pixels("train", 20))
    assert same.network is imported.network
    assert not same.tunings
    assert "a calibration on 20 inputs was left out" in same.document["decisions"][-1]


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
