"""The network under test, at all its levels, and its place on the chip."""

from dataclasses import dataclass

from cosim.mapping.choose import Mapping, choose_mapping
from hw.spec import ChipShape
from sw.integer.fold import fold
from sw.integer.network import IntegerNetwork
from sw.model.network import SpikingNetwork
from sw.train.checkpoint import Checkpoint


@dataclass(frozen=True)
class Subject:
    """What is examined: a network at all its levels, and its place on the chip."""

    float_network: SpikingNetwork
    quantised_network: SpikingNetwork
    network: IntegerNetwork
    mapping: Mapping


def prepare(trained: Checkpoint, shape: ChipShape) -> Subject:
    """Folds and maps a network. Raises `InputError` for a chip that is too small."""
    network = fold(trained.quantised_network)
    return Subject(
        float_network=trained.float_network,
        quantised_network=trained.quantised_network,
        network=network,
        mapping=choose_mapping(network, shape),
    )
