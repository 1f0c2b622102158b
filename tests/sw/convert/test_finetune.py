"""Training that goes on from an import: better in integers, and still spike for spike the chip."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.kept.folder import NETWORK_FILE, beside, save
from sw.convert.kept.imported import Imported
from sw.convert.steps import float_inputs, steps
from sw.convert.traced.model import import_torch
from sw.convert.tuned import finetune as tuning
from sw.convert.tuned.finetune import FineTuning, finetune
from sw.data.user.inputs import UserInputs
from sw.integer import inference, network_file
from tests.support.spiking import STEPS, SnnTorchNet, images, spikingjelly_net, trained

SMALL = ChipShape(2, 2, 128, 64)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def shown(split: str, count: int) -> UserInputs:
    pixels, labels = images(split, count)
    values = (pixels * 255).round().numpy().astype(np.uint8)
    return UserInputs(values, False, labels.numpy())


def accuracy(found: Imported, data: UserInputs) -> float:
    assert data.labels is not None
    return float((inference.run(found.network, data.values).predictions == data.labels).mean())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["snntorch", "spikingjelly"])
def test_it_learns_and_stays_the_chip(kind: str, tmp_path: Path) -> None:
    make = (lambda: SnnTorchNet(False)) if kind == "snntorch" else (lambda: spikingjelly_net(True))
    net = trained(make)
    found = import_torch(net, images("test", 10)[0], Decisions(STEPS, bits=2))
    data = shown("train", 600)
    counted: list[int] = []
    better = finetune(found, data, FineTuning(epochs=4), counted.append)
    assert sum(counted) == 4 * 600
    assert accuracy(better, data) > accuracy(found, data) + 0.02
    assert accuracy(better, shown("test", 300)) > accuracy(found, shown("test", 300))
    assert [each.drive for each in better.floats] == [each.drive for each in found.floats]
    for before, after in zip(found.parts(), better.parts(), strict=True):
        assert np.array_equal(before.layer.threshold, after.layer.threshold)
        assert after.codes.exact or not np.array_equal(before.codes.codes, after.codes.codes)
    results = steps(better, data.values[:50])
    assert results[-1].spikes == results[-2].spikes  # on the grid, floats are the integers
    save(tmp_path, better)
    network = network_file.load(tmp_path / NETWORK_FILE)
    again = beside(tmp_path / NETWORK_FILE, network)
    assert again is not None
    for layer, part in zip(network.layers, again.parts(), strict=True):
        assert np.array_equal(layer.weights.ravel(), part.layer.weights.ravel())
    done = run_own(network, choose_mapping(network, SMALL), {"in": shown("test", 6)}, None, again)
    assert done.equal


def test_its_forward_pass_is_the_network_that_comes_of_it() -> None:
    """Outputs of the layers that are trained, before any training, as the integer network's."""
    net = trained(lambda: SnnTorchNet(True), epochs=1)
    found = import_torch(net, images("test", 10)[0], Decisions(STEPS, bits=4))
    data = shown("test", 40)
    layers = [tuning._Layer(part) for part in found.parts()]
    with torch.no_grad():
        outputs = tuning._outputs(layers, float_inputs(found.decisions, data.values))
    trace = inference.run(found.network, data.values)
    one = found.parts()[-1].one
    same = np.isclose(outputs.numpy(), trace.membrane * one)
    assert same.mean() > 0.99  # float32 may fire a spike apart at a threshold


@pytest.mark.slow
def test_a_dead_end_is_no_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rate that destroys it, what there was before is kept."""
    monkeypatch.setattr(tuning, "RATE", 1e4)
    net = trained(lambda: SnnTorchNet(False))
    found = import_torch(net, images("test", 10)[0], Decisions(STEPS, bits=4))
    data = shown("train", 200)
    kept = finetune(found, data, FineTuning(epochs=1))
    assert accuracy(kept, data) >= accuracy(found, data) - 0.01


def test_what_it_needs() -> None:
    net = trained(lambda: SnnTorchNet(False), epochs=1)
    found = import_torch(net, images("test", 10)[0], Decisions(STEPS))
    bare = UserInputs(shown("train", 10).values, False, None)
    with pytest.raises(InputError, match="needs inputs with labels"):
        finetune(found, bare)
    with pytest.raises(InputError, match="epochs: is 0, must be at least 1"):
        finetune(found, shown("train", 10), FineTuning(epochs=0))
