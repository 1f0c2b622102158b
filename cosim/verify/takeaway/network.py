"""A small network for any chip: an input layer on one core, sent to all, and back to the host."""

import numpy as np

from cosim.program.handwritten import Destination, core, to_axons, to_host
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, read_membranes, spike
from hw.spec import ChipShape, Control, ResetMode

SEED = 64
INPUTS, TICKS = 32, 8
WEIGHTS = (-3, 1, 2)  # of the planes; a neuron takes as many dendrites


def network_steps(shape: ChipShape) -> list[Step]:
    """All that is played: the program through the front door, a restart, ticks, a read-back."""
    rng = np.random.default_rng(SEED)
    program = network(shape, rng)
    steps = [Step(configuration(program), go=False), control(shape, Control.RESTART)]
    for _ in range(TICKS):
        axons = np.flatnonzero(rng.random(INPUTS) < 0.4).tolist()
        flits = [spike(axon, x=0, y=0) for axon in axons]
        steps.append(Step(np.array(flits, np.uint64), go=True))
    return [*steps, Step(np.zeros(0, np.uint64), go=True), read_membranes(program)]


def network(shape: ChipShape, rng: np.random.Generator) -> Program:
    """Neurons of core (0, 0) hear the inputs, and send to an axon of all cores, their own too.

    All cores hold the same, but for their thresholds: so the program is loaded by few packets.
    Every spike goes to the host as well.
    """
    neurons = min(shape.dendrites // len(WEIGHTS), INPUTS)
    synapses = rng.random((neurons, len(WEIGHTS), shape.axons)) < 0.3
    synapses[..., 2 * INPUTS :] = False
    everyone = {"x": 0, "y": 0, "x1": shape.columns - 1, "y1": shape.rows - 1}
    images = []
    for y in range(shape.rows):
        for x in range(shape.columns):
            first = (x, y) == (0, 0)
            fan_out: list[list[Destination]] = [
                [to_host(), *([to_axons(INPUTS + n, **everyone)] if first else [])]
                for n in range(neurons)
            ]
            images.append(
                core(
                    x,
                    y,
                    synapses,
                    rng.integers(1, 12, neurons),
                    WEIGHTS,
                    bias=np.arange(neurons) % 3 - 1,
                    fan_out=fan_out,
                    leak=3,
                    reset=ResetMode.SUBTRACT,
                    floor=-20,
                )
            )
    return Program(shape, tuple(images))
