"""No core gets two copies of one spike: it would change nothing but take time and count twice."""

from collections import Counter

import numpy as np
import pytest

from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.mapping.host_layers import timestep_writes
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import schedule_network
from cosim.program.core_image import core_number
from cosim.program.program import Program
from hw.spec import AXON, FANOUT, FLIT, ChipShape, Kind, Register
from sw.common.errors import InputError
from sw.model.config.inputs import Encoding
from tests.support.faults import GOLDEN
from tests.support.mapping.on_golden import assert_resident, streamed_in
from tests.support.networks import SMALL, Sketch, random_network

SMALL_CORES = ChipShape(8, 8, 64, 128)
# Its first layer takes 2 x 8 x 8 inputs: too many for the 64 axons of a page, so several tiles.
SEVERAL_TILES = (Sketch("conv", 6, pool=True), Sketch("fc", 12), Sketch("fc", 3))


def cores_of(corners: tuple[int, int, int, int]) -> list[int]:
    x0, y0, x1, y1 = corners
    return [core_number(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]


def box(fmt: object, word: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (fmt.get(word, name) for name in ("x0", "y0", "x1", "y1"))  # type: ignore[attr-defined]
    return x0, y0, x1, y1


@pytest.mark.parametrize("seed", range(3))
def test_a_neuron_s_fan_out_reaches_each_axon_once(seed: int) -> None:
    program = map_network(random_network(seed, SMALL), SMALL_CORES)
    entries = 0
    for core in program.cores:
        for start, count in zip(core.fanout_start, core.fanout_count, strict=True):
            reached = Counter(
                (number, FANOUT.get(word, "page"), FANOUT.get(word, "axon"))
                for word in core.fanout[start : start + count].tolist()
                for number in cores_of(box(FANOUT, word))
            )
            assert set(reached.values()) <= {1}, f"seed {seed}, core {core.number}"
            entries += int(count)
    assert entries > 100


@pytest.mark.parametrize("encoding", ["direct", "rate", "phase"])
def test_the_host_sends_each_spike_once_to_a_core(encoding: Encoding) -> None:
    network = random_network(1, SEVERAL_TILES, input_shape=(2, 8, 8), encoding=encoding)
    program = map_network(network, SMALL_CORES)
    assert program.inputs is not None
    everything = program.inputs.flits(np.ones(program.inputs.shape, np.bool_))
    reached = Counter(
        (number, FLIT.get(flit, "data"))
        for flit in everything.tolist()
        for number in cores_of(box(FLIT, flit))
    )
    assert set(reached.values()) == {1}
    first = set(np.unique(program.layers[0].core).tolist())
    assert {number for number, _ in reached} == first


@pytest.mark.parametrize("shape", [ChipShape(3, 3, 256, 64), ChipShape(2, 2, 128, 64)])
def test_a_streamed_tile_s_spikes_reach_each_core_of_its_slot_once(shape: ChipShape) -> None:
    """Slots that are no rectangles among them: 4 cores of 3 x 3."""
    sketches = (Sketch("conv", 3), Sketch("conv", 5), Sketch("fc", 40), Sketch("fc", 4))
    network = random_network(3, sketches, input_shape=(1, 7, 7))
    inputs = streamed_in(network, 2)
    for run in run_network(schedule_network(network, shape), inputs, GOLDEN, ReadBack(0.0, 0)):
        for part in run.rounds:
            windows = part.round.windows
            slot_of = {core: slot for slot, cores in enumerate(part.round.slots) for core in cores}
            for job in part.stimuli:
                for step in job:
                    spikes = [f for f in step.flits.tolist() if FLIT.get(f, "kind") == Kind.SPIKE]
                    reached = Counter(
                        (number, FLIT.get(flit, "data"))
                        for flit in spikes
                        for number in cores_of(box(FLIT, flit))
                    )
                    assert set(reached.values()) <= {1}
                    by_slot: dict[tuple[int, int], int] = Counter()
                    for number, data in reached:
                        page, axon = AXON.get(data, "page"), AXON.get(data, "axon")
                        assert page * shape.axons + axon < windows.axons
                        by_slot[slot_of[number], data] += 1
                    # All cores of a slot see the same.
                    assert set(by_slot.values()) <= {len(part.round.groups)}


# ---------------------------------------------------------------- phase encoding, several tiles
@pytest.mark.parametrize("seed", range(2))
def test_steps_of_a_resident_first_layer_of_several_tiles(seed: int) -> None:
    """Ten steps: every spike of the network, so every core's weights follow the phase."""
    network = random_network(
        seed, SEVERAL_TILES, input_shape=(2, 8, 8), timesteps=10, encoding="phase"
    )
    program = assert_resident(network, shape=SMALL_CORES)
    cores = np.unique(program.layers[0].core)
    assert len(cores) > 2
    _written_once(program, set(cores.tolist()))


def test_steps_of_cores_that_are_no_rectangle() -> None:
    network = random_network(0, SMALL, timesteps=3, weight_bits=1, encoding="phase")
    cores = [core_number(x, y) for x, y in ((0, 0), (1, 0), (0, 1), (3, 3))]
    writes = timestep_writes(network, network.layers[0], (2, -1), cores)
    program = Program(ChipShape(4, 4), (), timesteps=3, timestep_writes=writes)
    _written_once(program, set(cores))


def _written_once(program: Program, cores: set[int]) -> None:
    """In every step each of these cores gets each plane's weight once, and no other core any."""
    for step, writes in enumerate(program.timestep_writes):
        reached = Counter(
            (number, FLIT.get(flit, "offset"))
            for flit in writes.tolist()
            for number in cores_of(box(FLIT, flit))
        )
        planes = {offset for _, offset in reached}
        assert planes == {Register.PLANE_WEIGHT + plane for plane in range(len(planes))}
        assert reached == Counter({(core, plane): 1 for core in cores for plane in planes}), step


@pytest.mark.parametrize(("weight", "fits"), [(255, True), (256, False), (511, False)])
def test_step_weights_at_the_edge_of_16_bits(weight: int, fits: bool) -> None:
    """255 * 2^7 = 32640; 256 * 2^7 = 2^15 would be negative."""
    network = random_network(0, SMALL, timesteps=3, weight_bits=1, encoding="phase")
    first = network.layers[0]
    if fits:
        writes = timestep_writes(network, first, (weight, -1), [0])
        assert FLIT.get(int(writes[0][0]), "data") == weight << 7
        return
    with pytest.raises(InputError, match=rf"plane weights up to {weight << 7} for the first of 8"):
        timestep_writes(network, first, (weight, -1), [0])
