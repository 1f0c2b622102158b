"""What a chip's responses say about an image: its class, and how many spikes each layer fired."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.program.program import Program
from cosim.program.stimulus import Observation, class_membranes, decode, layer_spikes
from sw.integer.inference import Trace

NO_ANSWER = -1  # a class that is none: the chip did not give all output membranes


@dataclass(frozen=True)
class Answer:
    """What the chip made of one image; `spikes` counts per spiking layer, before pooling."""

    prediction: int
    spikes: dict[str, int]


def read_out(program: Program, responses: Sequence[NDArray[np.uint64]]) -> Answer:
    """Reads one image's responses, wrong ones too: whether they are right is not asked here."""
    observation = decode(responses)
    try:
        prediction = int(class_membranes(program, observation).argmax())
    except ValueError:
        prediction = NO_ANSWER
    _, core, neuron = observation.spikes.T
    spikes = {
        layer.name: int(np.count_nonzero(layer.site(core, neuron) >= 0))
        for layer in program.layers[:-1]
    }
    return Answer(prediction, spikes)


def mapping_mismatches(
    program: Program, responses: Sequence[NDArray[np.uint64]], trace: Trace, image: int
) -> int:
    """Spikes and outputs of the golden model that the integer network has not, or the other way.

    `image` is the responses' place in the trace's batch. This is the check of the mapper: the two
    share no arithmetic, and the network knows no cores.
    """
    observation = decode(responses)
    return _wrong_spikes(program, observation, trace, image) + _wrong_outputs(
        program, observation, trace, image
    )


def _wrong_spikes(program: Program, observation: Observation, trace: Trace, image: int) -> int:
    try:
        found = layer_spikes(program, observation)
    except ValueError:  # of no layer, or at no step of the algorithm
        return len(observation.spikes)
    silent = np.zeros((), np.bool_)  # the output layer, which never fires
    return sum(
        int(
            np.count_nonzero(
                spikes != (trace.spikes[name][:, image] if name in trace.spikes else silent)
            )
        )
        for name, spikes in found.items()
    )


def _wrong_outputs(program: Program, observation: Observation, trace: Trace, image: int) -> int:
    try:
        membranes = class_membranes(program, observation)
    except ValueError:
        return int(trace.membrane.shape[1])
    return int(np.count_nonzero(membranes.ravel() != trace.membrane[image]))
