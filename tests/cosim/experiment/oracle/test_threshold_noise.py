"""With a chip's noise the network in software fires where the chip's golden model fires."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cosim.experiment.levels.resident import image_stimuli
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.experiment.levels.subject import Subject
from cosim.experiment.oracle.threshold_noise import noisy, threshold_noise
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import Mapping
from cosim.mapping.host_layers import chip_inputs
from cosim.mapping.noise import with_noise
from cosim.program.program import Program
from cosim.program.stimulus import decode, layer_spikes
from hw.spec import ChipShape
from sw.attack.gradient.way import Way
from sw.attack.victim import Labels, Victim
from sw.common.errors import InputError
from sw.model.network import as_input
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import SHAPE, make_data, make_subject

DATA = make_data(7)
BITS = 14
ODD = ChipShape(1, 3, 256, 256)  # its slots divide no layer's tiles: each image has its own noise
SHAPES = [SHAPE, TINY_CHIP, ODD]
Spikes = dict[str, NDArray[np.bool_]]  # [T, n, C, H, W]


def of_chip(subject: Subject, mapping: Mapping) -> Spikes:
    runner = GoldenRunner()
    if isinstance(mapping, Program):
        stimuli = image_stimuli(mapping, subject.network, DATA.images)
        found = [layer_spikes(mapping, decode(r)) for r in runner.run(mapping, stimuli).responses]
        names = [layer.name for layer in mapping.layers[:-1]]
        return {name: np.stack([each[name] for each in found], 1) for name in names}
    inputs = PackedSpikes.pack(chip_inputs(subject.network, DATA.images).swapaxes(0, 1))
    *runs, _ = run_network(mapping, inputs, runner, ReadBack(0.0, 0))
    return {run.schedule.layer.name: run.spikes.unpack().swapaxes(0, 1) for run in runs}


def of_software(subject: Subject) -> Spikes:
    with torch.no_grad():
        trace = subject.quantised_network.trace(as_input(DATA.images))
    return {name: spikes.numpy().astype(np.bool_) for name, spikes in trace.spikes.items()}


@pytest.mark.parametrize("shape", SHAPES, ids=["resident", "streamed", "odd"])
def test_the_network_with_noise_fires_where_the_chip_does(shape: ChipShape) -> None:
    subject = make_subject(shape)
    mapping = with_noise(subject.mapping, BITS, seed=3)
    chip, quiet = of_chip(subject, mapping), of_software(subject)
    with noisy(subject.quantised_network, {0: mapping}.__getitem__, len(DATA)):
        heard = of_software(subject)
    # A step of the integers may lie between a threshold and its rounded one: hence not all of them.
    wrong = {name: np.mean(spikes != heard[name]) for name, spikes in chip.items()}
    assert max(wrong.values()) < 1e-3, wrong
    missed = {name: np.mean(spikes != quiet[name]) for name, spikes in chip.items()}
    assert min(missed.values()) > 0.01, "noise that changes nothing tests nothing"
    assert all((of_software(subject)[name] == quiet[name]).all() for name in quiet)  # as it was


def test_images_have_noise_of_their_own_where_slots_do_not_divide_tiles() -> None:
    found = threshold_noise(with_noise(make_subject(ODD).mapping, BITS, seed=3), 7)
    for name, noise in found.items():
        assert noise.shape[1] == 7, name
        assert 0 <= noise.min() < noise.max() < 1 << BITS
        assert (noise[:, 0] != noise[:, 1]).any()
        assert (
            noise[:, 0] == noise[:, 3]
        ).all()  # three slots, a number of tiles they do not divide
    for noise in threshold_noise(with_noise(make_subject().mapping, BITS, seed=3), 7).values():
        assert noise.shape[1] == 1


def test_who_does_not_know_the_seed_takes_the_mean_over_others() -> None:
    subject = make_subject()
    network = subject.quantised_network
    draws = [with_noise(subject.mapping, BITS, seed) for seed in range(3)]
    labels = Labels(DATA.labels, DATA.numbers)
    with noisy(network, draws.__getitem__, len(DATA)):
        expected = Victim(network, labels, Way(draws=2)).look(DATA.images)
        looks = []
        for network.draw in (1, 2):
            looks.append(Victim(network, labels).look(DATA.images))
        network.draw = 0
        known = Victim(network, labels).look(DATA.images)
    mean = np.mean([look.uphill for look in looks], axis=0)
    np.testing.assert_allclose(expected.uphill, mean, rtol=1e-4, atol=1e-7)
    assert not np.allclose(expected.uphill, known.uphill, rtol=1e-2)


def test_noise_that_the_network_has_not_is_refused() -> None:
    subject = make_subject()
    mapping = with_noise(subject.mapping, BITS, seed=3)
    assert isinstance(mapping, Program)
    first = replace(mapping.layers[0], name="conv2.pooled")
    mapping = replace(mapping, layers=(first, *mapping.layers[1:]))
    network = subject.quantised_network
    with (
        noisy(network, {0: mapping}.__getitem__, 7),
        pytest.raises(InputError, match="pools in neurons of their own"),
    ):
        network(as_input(DATA.images))
    assert network.noise is None
