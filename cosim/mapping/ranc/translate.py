"""A RANC network as a program of ours, what is sent to it, and what its output should be.

A RANC core is the core of ours at the same place; the output core is the host. All neurons are
traced, so that every spike is compared, not only those that leave the network.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc import rules
from cosim.mapping.ranc.core_file import RancCore
from cosim.mapping.ranc.network import RancNetwork
from cosim.mapping.ranc.potentials import ticks_needed
from cosim.program.core_image import CoreImage, core_number
from cosim.program.handwritten import core as core_image
from cosim.program.handwritten import to_axons
from cosim.program.program import Program
from cosim.program.runner import Response, Stimulus
from cosim.program.stimulus import Step, control, decode, read_membranes, spike
from hw.spec import ChipShape, Control
from sw.common.errors import InputError


@dataclass(frozen=True, eq=False)
class Translation:
    """What a chip is given; `stimulus` is a restart, then a tick a step, then a read-back."""

    network: RancNetwork
    program: Program
    stimulus: Stimulus

    @property
    def ticks(self) -> int:
        return sum(step.go for step in self.stimulus)


@dataclass(frozen=True)
class Packets:
    """The output packets of a run beside those that RANC's files expect.

    Attributes:
        expected: how many the files have.
        reproduced: how many of these came, in their ticks.
        surplus: how many came that the files do not have.
        first: the first difference in words; "" where there is none.
    """

    expected: int
    reproduced: int
    surplus: int
    first: str = field(default="")

    @property
    def all(self) -> bool:
        """All that the files expect came, and nothing else."""
        return not self.first


def translate(network: RancNetwork, shape: ChipShape) -> Translation:
    """The program and its stimulus on a chip of this size.

    Raises `InputError` for what the chip cannot hold or express: rule, file, core and neuron.
    """
    columns, rows = network.grid.columns, network.grid.rows
    if columns > shape.columns or rows > shape.rows:
        raise InputError(
            f"a grid of {columns}x{rows} cores: must be at most {shape.columns}x{shape.rows}, as "
            "this chip is"
        )
    images = [
        _image(network, index, core, shape)
        for index, core in network.cores.items()
        if core.live.any()
    ]
    program = Program(shape, tuple(images))
    used = {core.number for core in images}
    ticks = ticks_needed(network)
    steps = [Step(_flits(network, tick, used), go=True) for tick in range(ticks)]
    return Translation(
        network, program, [control(shape, Control.RESTART), *steps, read_membranes(program)]
    )


def packets(translation: Translation, response: Response) -> Packets:
    """What came out in a run, held against what the files expect, tick by tick as multisets."""
    network = translation.network
    came = _came(translation, response)[network.latency :]
    ticks = list(range(network.latency, translation.ticks))
    wanted = [group.tolist() for group in network.expected]
    if not network.a_group_a_tick:
        wanted = [group for group in wanted if group]
        ticks = [tick for tick, group in zip(ticks, came, strict=True) if group][: len(wanted)]
        came = [group for group in came if group][: len(wanted)]
        came += [[]] * (len(wanted) - len(came))
    reproduced = surplus = 0
    first = ""
    for number, (group, found) in enumerate(zip(wanted, came, strict=False)):
        missing, more = Counter(group) - Counter(found), Counter(found) - Counter(group)
        reproduced += len(group) - missing.total()
        surplus += more.total()
        if not first and missing + more:
            when = f"tick {ticks[number]}" if number < len(ticks) else "no tick"
            first = f"group {number + 1} of tb_correct.txt, {when}: {_parting(missing, more)}"
    return Packets(sum(map(len, wanted)), reproduced, surplus, first)


def _parting(missing: Counter[int], more: Counter[int]) -> str:
    axon = min(missing + more)
    if axon in missing:
        return f"a packet to axon {axon} was expected and did not come"
    return f"a packet to axon {axon} came and was not expected"


def _came(translation: Translation, response: Response) -> list[list[int]]:
    """Axon numbers of the output packets of each tick, ascending."""
    network = translation.network
    found: list[list[int]] = [[] for _ in range(translation.ticks)]
    grid = network.grid
    outputs = {}
    for index, core in network.cores.items():
        x, y = grid.xy(index)
        for neuron in np.flatnonzero(grid.targets(index, core) == grid.output).tolist():
            outputs[core_number(x, y), neuron] = int(core.axon[neuron]) & network.mask
    for tick, core_id, neuron in decode(response).spikes.tolist():
        if (core_id, neuron) in outputs and tick < len(found):
            found[tick].append(outputs[core_id, neuron])
    return [sorted(group) for group in found]


def _image(network: RancNetwork, index: int, core: RancCore, shape: ChipShape) -> CoreImage:
    grid = network.grid
    rules.check_rules(index, core, grid)
    if core.axons > shape.axons:
        raise InputError(
            f"{core.place}: {core.axons} axons, must be at most {shape.axons}, as this chip has"
        )
    planes = rules.planes_of(index, core, grid, shape.dendrites)
    rows = rules.rows_of(core, planes)
    neurons = len(rows)
    synapses = np.zeros((neurons, len(planes), shape.axons), np.bool_)
    synapses[..., : core.axons] = rows
    x, y = grid.xy(index)
    return core_image(
        x,
        y,
        synapses,
        core.threshold[:neurons],
        planes,
        bias=core.leak[:neurons],
        fan_out=[_destination(network, index, core, neuron) for neuron in range(neurons)],
        reset=rules.reset_of(index, core, grid),
        floor=rules.floor_of(index, core, grid),
        trace=True,
    )


def _destination(network: RancNetwork, index: int, core: RancCore, neuron: int) -> list[np.uint32]:
    """The axon that a neuron sends to; none for the host, who sees all spikes."""
    grid = network.grid
    x, y = grid.xy(index)
    place = x + int(core.dx[neuron]), y + int(core.dy[neuron])
    target = place[0] + place[1] * grid.columns
    if not core.live[neuron] or target == grid.output:
        return []
    if target not in network.cores or not network.cores[target].live.any():
        return []  # a core of which no neuron does anything
    return [to_axons(int(core.axon[neuron]), x=place[0], y=place[1])]


def _flits(network: RancNetwork, tick: int, used: set[int]) -> NDArray[np.uint64]:
    """The spikes that the host sends for a tick, to cores that do something."""
    packets = network.sent[tick].tolist() if tick < len(network.sent) else []
    flits = []
    for index, axon in packets:
        x, y = network.grid.xy(index)
        if core_number(x, y) in used:
            flits.append(spike(axon, x=x, y=y))
    return np.array(flits, np.uint64)
