"""The levels that are the chip, the whole network on it at once or a layer at a time."""

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.experiment.levels.streamed.passes import ReadBack
from cosim.experiment.levels.streamed.run import READ_BACK, run_streamed
from cosim.mapping.choose import Mapping
from cosim.program.program import Program
from sw.common.stopwatch import Stopwatch
from sw.data.dataset import Images
from sw.integer.network import IntegerNetwork


def run_on_chip(
    mapping: Mapping,
    network: IntegerNetwork,
    images: Images,
    chips: Chips,
    watch: Stopwatch,
    seed: int = 0,
) -> ChipResult:
    """Images through golden model and RTL, compared with each other and with the network.

    `seed` says which passes of a streamed network are read back.
    """
    if isinstance(mapping, Program):
        return run_resident(mapping, network, images, chips, watch)
    with watch.stage("golden" if chips.rtl is None else "golden and RTL"):
        return run_streamed(mapping, network, images, chips, ReadBack(READ_BACK, seed))


def read_back_share(mapping: Mapping) -> float:
    """The share of the passes of hidden layers whose membranes are read and compared."""
    return 1.0 if isinstance(mapping, Program) else READ_BACK
