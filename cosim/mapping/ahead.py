"""What the chip says to a network before it is trained, which may take hours."""

from cosim.mapping.choose import choose_mapping
from hw.spec import FULL_CHIP
from sw.common.errors import InputError
from sw.integer.fold import fold
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork


def refusal(config: NetworkConfig) -> str | None:
    """Why the full chip will not take such a network, in a sentence; None: it will.

    It is asked with a network of drawn weights: only layers, sizes and settings count, except that
    thresholds far from 1 may come to fit, or not, with the trained weights.
    """
    network = SpikingNetwork(config, config.weight_bits)
    network.reset(0)
    try:
        choose_mapping(fold(network.eval()), FULL_CHIP)
    except InputError as error:
        return str(error)
    return None
