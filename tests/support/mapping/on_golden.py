"""Mapped networks on the golden model against the same networks as plain convolutions.

The check of the mapper that shares nothing with it: every spike of every layer and every membrane
of the output layer.
"""

import numpy as np
from numpy.typing import NDArray

from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.mapping.host_layers import chip_inputs, chip_layers
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, class_membranes, decode, image_stimulus, layer_spikes
from hw.spec import FULL_CHIP, ChipShape
from sw.integer import inference
from sw.integer.network import IntegerNetwork
from tests.support.networks import Sketch

TINY_CHIP = ChipShape(columns=2, rows=2, axons=128, dendrites=64)  # so small that SMALL is streamed
SEVERAL_ROUNDS = (
    Sketch("conv", 2),
    Sketch("conv", 4, pool=True),
    Sketch("fc", 50),
    Sketch("fc", 3),
)


def draw(network: IntegerNetwork, images: int) -> NDArray[np.uint8]:
    """Random images, uint8 [images, C, H, W]."""
    shape = (images, *network.input_shape)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def streamed_in(network: IntegerNetwork, images: int, first: int = 0) -> PackedSpikes:
    """What the host streams in of images `first` to `images`."""
    spikes = chip_inputs(network, draw(network, images)[first:])
    return PackedSpikes.pack(spikes.swapaxes(0, 1))


def assert_streamed(network: IntegerNetwork, images: int, shape: ChipShape) -> Schedule:
    """The network streamed, spike for spike and membrane for membrane; each layer must have fired,
    and not always. Returns its schedule."""
    schedule = schedule_network(network, shape)
    expected = inference.run(network, draw(network, images))
    inputs = streamed_in(network, images)
    runs = list(run_network(schedule, inputs, GoldenRunner(), ReadBack(0.5, 1)))
    for run in runs[:-1]:
        name = run.schedule.layer.name
        wrong = np.argwhere(run.spikes.unpack().swapaxes(0, 1) != expected.spikes[name])
        assert not len(wrong), f"{network.name} {name}: step, image, c, y, x {wrong[:3]}"
        assert 0 < run.spikes.unpack().mean() < 1, f"{network.name} {name}: no test"
        assert run.spikes.count().sum() == expected.spikes[name].sum()
        assert run.membranes is None
    assert sum(run.strays for run in runs) == 0
    assert not runs[-1].spikes.count().any()
    assert runs[-1].answered.all()
    np.testing.assert_array_equal(runs[-1].membranes, expected.membrane, err_msg=network.name)
    return schedule


def assert_resident(
    network: IntegerNetwork, images: int = 3, shape: ChipShape = FULL_CHIP
) -> Program:
    """The network resident, spike for spike and membrane for membrane; each layer must have fired,
    and not always. Returns its program."""
    pixels = draw(network, images)
    expected, streamed = inference.run(network, pixels), chip_inputs(network, pixels)
    program = map_network(network, shape)
    chip = GoldenChip(shape, images)
    chip.run([Step(configuration(program), go=False)])
    responses = chip.run_images([image_stimulus(program, streamed[:, i]) for i in range(images)])
    observed = [decode(response) for response in responses]
    spikes = [layer_spikes(program, observation) for observation in observed]
    for layer in chip_layers(network)[:-1]:
        got = np.stack([image[layer.name] for image in spikes], axis=1)
        wrong = np.argwhere(got != expected.spikes[layer.name])
        assert not len(wrong), f"{network.name} {layer.name}: step, image, c, y, x {wrong[:3]}"
        assert 0 < got.mean() < 1, f"{network.name} {layer.name}: no test"
    output = network.layers[-1].name
    assert not any(image[output].any() for image in spikes)
    membranes = [class_membranes(program, observation) for observation in observed]
    np.testing.assert_array_equal(np.stack(membranes), expected.membrane, err_msg=network.name)
    return program
