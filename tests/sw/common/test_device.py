"""Devices: what is none is one sentence; everything of a step lies where the network lies.

There need be no GPU: PyTorch's "meta" device has shapes without numbers, and refuses, as a GPU
does, to compute with a tensor that lies elsewhere.
"""

import dataclasses

import pytest
import torch

from sw.attack.gradient.sight import by_pixels
from sw.common.device import device
from sw.common.errors import InputError
from sw.data.augment import crop_and_flip
from sw.data.dataset import Dataset
from sw.model import lif_compiled
from sw.model.architectures import DIGITS
from sw.model.config.inputs import Encoding
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork
from sw.train import loop, training_state
from sw.train.settings import TrainSettings

META = torch.device("meta")
CONFIG = dataclasses.replace(DIGITS, layers=(LayerSpec("conv", 4, pool=True), LayerSpec("fc", 5)))


@pytest.mark.parametrize("name", ["", "gpu", "meta", "cpu:x", "cuda:-1", "tpu:0"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(InputError, match=f"device '{name}': must be cpu, cuda, or cuda:1"):
        device(name)


def test_one_that_is_not_there(held_out: Dataset) -> None:
    name = f"cuda:{torch.cuda.device_count()}"
    sentence = f"device '{name}': PyTorch finds no such device on this machine; must be cpu"
    with pytest.raises(InputError, match=sentence):
        device(name)
    with pytest.raises(InputError, match=sentence):
        loop.train(DIGITS, held_out, TrainSettings(), device=name)


def test_the_cpu_is_there() -> None:
    assert device("cpu") == torch.device("cpu")


@pytest.mark.slow
def test_meta_refuses_tensors_from_elsewhere() -> None:
    """Without this the tests below could not fail."""
    with pytest.raises(RuntimeError):
        torch.zeros(3, device=META) + torch.zeros(3)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["direct", "rate", "phase", "latency"])
@pytest.mark.parametrize("bits", [None, 4])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_stays_on_the_device(
    encoding: Encoding, bits: int | None, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lif_compiled, "_kernel", lambda function, _: function)
    network = SpikingNetwork(dataclasses.replace(CONFIG, encoding=encoding), bits).to(META)
    network.compiled = compiled
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters())
    scores = network(torch.empty(8, 1, 8, 8, device=META))
    labels = torch.empty(8, dtype=torch.int64, device=META)
    torch.autograd.backward(torch.nn.functional.cross_entropy(scores, labels))
    optimiser.step()
    assert scores.device == META
    assert all(
        parameter.grad is not None and parameter.grad.device == META
        for parameter in network.parameters()
    )


def test_batches_come_to_the_network(held_out: Dataset) -> None:
    settings = TrainSettings(batch=32, augment=True)
    run = training_state.start(CONFIG, settings, held_out)
    run.network.to(META)
    batches = list(loop._batches(run, held_out))
    assert sum(len(labels) for _, labels in batches) == len(held_out)
    assert {tensor.device for batch in batches for tensor in batch} == {META}


def test_moments_of_a_state_file_come_to_the_network(held_out: Dataset) -> None:
    run = training_state.start(CONFIG, TrainSettings(), held_out)
    run.network.to(META)
    moments = [
        {name: torch.zeros(parameter.shape) for name in training_state.MOMENTS}
        for parameter in run.network.parameters()
    ]
    run.restored = {"moments": moments, "cycled": {}}
    run.prepare(10)
    for parameter in run.network.parameters():
        for name in training_state.MOMENTS:
            assert run.optimiser.state[parameter][name].device == META


def test_crops_are_the_same_draws_on_each_device() -> None:
    images = torch.arange(2 * 3 * 8 * 8).reshape(2, 3, 8, 8)
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    crop_and_flip(images, generators[0])
    assert crop_and_flip(images.to(META), generators[1]).device == META
    assert torch.equal(generators[0].get_state(), generators[1].get_state())


def test_the_compiler_is_asked_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA may compile where the CPU does not, and the other way."""
    asked: list[str] = []

    def can_compile(kind: str) -> bool:
        asked.append(kind)
        return False

    monkeypatch.setattr(lif_compiled, "can_compile", can_compile)
    lif_compiled._kernel.cache_clear()
    try:
        for place in ("cpu", "meta"):
            lif_compiled.lif(torch.zeros(1, 2, 3, 4, 4, device=place), 4, 0.5, 0.5)
    finally:
        lif_compiled._kernel.cache_clear()
    assert asked == ["cpu", "meta"]


def test_gradients_by_pixels_are_on_the_device() -> None:
    network = SpikingNetwork(CONFIG).to(META).eval()
    pixels, labels = torch.zeros(2, 1, 8, 8, device=META), torch.zeros(2, device=META).long()
    assert by_pixels(network, pixels, labels).device == META
