"""The chip as a victim of attacks by queries: what it says of images, by its output membranes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.experiment.levels.resident import image_stimuli
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.mapping.choose import Mapping
from cosim.mapping.host_layers import chip_inputs
from cosim.program.program import Program
from cosim.program.runner import Runner
from cosim.program.stimulus import class_membranes, decode
from sw.attack.draws import Numbers
from sw.attack.image_sets import batches
from sw.attack.victim import FloatArray, Labels
from sw.data.dataset import Images
from sw.integer.network import IntegerNetwork

BATCH = 100  # images at once
TIE = 0.5  # the margin where two membranes are equal: the first class is the answer


class ChipVictim:
    """A network on a chip, as `sw.attack.victim.Oracle` has it.

    Args:
        network: the integers that the chip has.
        draws: the chip; several: it is not known which, and their margins are averaged.
        runner: a model of it.
        labels: of the images that will be asked about, in their order.

    Attributes:
        queries: how many images it has been shown, each once for all draws.
    """

    def __init__(
        self, network: IntegerNetwork, draws: Sequence[Mapping], runner: Runner, labels: Labels
    ) -> None:
        self._network, self._draws, self._runner = network, draws, runner
        self.labels = labels
        self.queries = 0
        self._places = {number: place for place, number in enumerate(labels.numbers.tolist())}

    @property
    def numbers(self) -> Numbers:
        """The images' numbers in their data set, int64 [n]."""
        return self.labels.numbers

    def margins(self, images: Images, labels: Labels) -> FloatArray:
        """How far the chip is from what the attack wants, float32 [n]: below 0 it is there.

        An image meets the same noise in each query, and when it is shown with all the others.
        """
        self.queries += len(images)
        places = np.array([self._places[number] for number in labels.numbers.tolist()], np.int64)
        sums = sum(
            margins_of(output_membranes(draw, self._network, images, self._runner, places), labels)
            for draw in self._draws
        )
        return np.asarray(sums / len(self._draws), np.float32)


def output_membranes(
    mapping: Mapping,
    network: IntegerNetwork,
    images: Images,
    runner: Runner,
    places: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """The output layer's membranes behind each image, int64 [n, classes].

    `places` (int64 [n]) are the images' in their block, by which they have noise; None: in order.
    """
    places = np.arange(len(images)) if places is None else places
    found = [
        _membranes(mapping, network, images[batch], runner, places[batch])
        for batch in batches(len(images), BATCH)
    ]
    return np.concatenate(found)


def margins_of(membranes: NDArray[np.int64], labels: Labels) -> NDArray[np.float64]:
    """The margins of answers; of equal membranes the first class is the answer."""
    rows = np.arange(len(membranes))
    own = membranes[rows, labels.classes].astype(np.float64)
    others = membranes.astype(np.float64)
    others[rows, labels.classes] = -np.inf
    margin = own - others.max(axis=1)
    answered = membranes.argmax(axis=1) == labels.classes
    margin += np.where(margin == 0, np.where(answered, TIE, -TIE), 0)
    return np.asarray(-margin if labels.targeted else margin, np.float64)


def _membranes(
    mapping: Mapping,
    network: IntegerNetwork,
    images: Images,
    runner: Runner,
    places: NDArray[np.int64],
) -> NDArray[np.int64]:
    if isinstance(mapping, Program):
        stimuli = image_stimuli(mapping, network, images)
        responses = runner.run(mapping, stimuli).responses
        return np.stack([class_membranes(mapping, decode(each)).ravel() for each in responses])
    inputs = PackedSpikes.pack(chip_inputs(network, images).swapaxes(0, 1))
    *_, output = run_network(mapping, inputs, runner, ReadBack(0.0, 0), places)
    assert output.membranes is not None
    return output.membranes
