"""The network under test, at all its levels, and its place on the chip."""

from dataclasses import dataclass

from cosim.experiment.levels.streamed import READ_BACK
from cosim.mapping.choose import Mapping, choose_mapping
from cosim.program.program import Program
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

    @property
    def read_back(self) -> float:
        """The share of the passes of hidden layers whose membranes are read and compared."""
        return 1.0 if isinstance(self.mapping, Program) else READ_BACK


def prepare(trained: Checkpoint, shape: ChipShape) -> Subject:
    """Folds and maps a network. Raises `InputError` for a chip that is too small."""
    network = fold(trained.quantised_network)
    return Subject(
        float_network=trained.float_network,
        quantised_network=trained.quantised_network,
        network=network,
        mapping=choose_mapping(network, shape),
    )
