"""A network's place on the chip: resident where all of it fits at once, else streamed."""

from cosim.mapping.resident import map_network
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.program import Program
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.integer.network import IntegerNetwork

Mapping = Program | Schedule


def choose_mapping(network: IntegerNetwork, shape: ChipShape) -> Mapping:
    """A program for all layers, or a schedule of them; a recurrent network runs resident only.

    Raises `InputError` if it fits neither way; the message names the layer that does not fit alone,
    and the resource that it lacks.
    """
    try:
        return map_network(network, shape)
    except InputError:
        if network.recurrent:
            raise
        return schedule_network(network, shape)
