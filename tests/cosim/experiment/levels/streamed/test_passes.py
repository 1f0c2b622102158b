"""Streamed networks on the golden model against the same networks as plain convolutions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.experiment.levels.streamed.passes import LayerRun, ReadBack, run_network, tile_of
from cosim.golden.runner import GoldenRunner
from cosim.mapping.noise import with_noise
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.program import Program, rectangles
from cosim.program.runner import Advance, Run, Stimulus, unheard
from hw.spec import FLIT, FULL_CHIP, ChipShape, Kind, Region
from sw.common.errors import InputError
from sw.model.config import layer as layer_config
from sw.model.geometry import Geometry
from tests.support.mapping.on_golden import (
    SEVERAL_ROUNDS,
    TINY_CHIP,
    assert_streamed,
    streamed_in,
)
from tests.support.networks import (
    CONVOLUTIONS,
    OTHER_GEOMETRIES,
    SMALL,
    VGG5,
    Sketch,
    random_network,
)

NO_READ_BACK = ReadBack(share=0.0, seed=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_network_that_the_chip_cannot_hold(seed: int) -> None:
    network = random_network(seed, SMALL, timesteps=3, leak=(None, 1, 3)[seed % 3])
    with pytest.raises(InputError, match="cores"):
        map_network(network, TINY_CHIP)
    schedule = assert_streamed(network, 3, TINY_CHIP)
    assert max(layer.windows.tiles for layer in schedule.layers) > 4


@pytest.mark.parametrize("seed", range(3))
def test_several_rounds(seed: int) -> None:
    schedule = assert_streamed(random_network(seed, SEVERAL_ROUNDS), 5, TINY_CHIP)
    assert max(len(layer.rounds) for layer in schedule.layers) > 1


@pytest.mark.parametrize("weight_bits", [1, 7])
@pytest.mark.parametrize("reset", ["subtract", "none"])
def test_resets_and_weight_bits(reset: str, weight_bits: int) -> None:
    network = random_network(7, SMALL, reset=reset, weight_bits=weight_bits)  # type: ignore[arg-type]
    assert_streamed(network, 2, ChipShape(3, 2, 128, 128))


def test_slots_that_are_no_rectangles() -> None:
    """Two slots of 4 cores on 3 x 3: in one of them a spike takes two flits. 7 x 7 pixels."""
    sketches = (Sketch("conv", 3), Sketch("conv", 5), Sketch("fc", 40), Sketch("fc", 4))
    network = random_network(3, sketches, input_shape=(1, 7, 7))
    schedule = assert_streamed(network, 3, ChipShape(3, 3, 256, 64))
    slots = [slot for layer in schedule.layers for part in layer.rounds for slot in part.slots]
    assert max(len(rectangles(frozenset(slot))) for slot in slots) == 2


@pytest.mark.slow
def test_vgg5_on_the_full_chip() -> None:
    network = random_network(0, VGG5, input_shape=(3, 32, 32), timesteps=2)
    with pytest.raises(InputError, match="layer conv2 needs 192 cores"):
        map_network(network)
    assert_streamed(network, 1, FULL_CHIP)


# ---------------------------------------------------------------- jobs
def small_runs(batch: int = 64, read_back: ReadBack = NO_READ_BACK) -> list[LayerRun]:
    network = random_network(2, SMALL)
    schedule = schedule_network(network, TINY_CHIP)
    return list(run_network(schedule, streamed_in(network, 3), GoldenRunner(batch), read_back))


def test_batches_change_nothing() -> None:
    for one, other in zip(small_runs(batch=64), small_runs(batch=5), strict=True):
        assert np.array_equal(one.spikes.bits, other.spikes.bits)
        for a, b in zip(one.rounds, other.rounds, strict=True):
            for want, have in zip(a.responses, b.responses, strict=True):
                assert all(
                    np.array_equal(np.sort(x), np.sort(y)) for x, y in zip(want, have, strict=True)
                )


def test_every_slot_does_a_tile_in_turn() -> None:
    """Image and tile of a core in a pass; the spikes of all cores together are the layer's."""
    run = small_runs()[0]
    [done] = run.rounds
    spikes = run.spikes.unpack()
    windows = done.round.windows
    found = np.zeros((len(spikes), windows.down, windows.across), np.int64)
    for job, steps in enumerate(done.responses):
        flits = np.concatenate(steps)
        flits = flits[FLIT.get(flits, "region") == Region.SPIKE]
        for flit in flits.tolist():
            core = FLIT.get(flit, "y0") << 3 | FLIT.get(flit, "x0")
            place = tile_of(done, job, core)
            if place is not None:  # behind the last tile, slots run along
                found[place] += 1
    size = (windows.down, windows.height, windows.across, windows.width)
    by_tile = spikes.reshape(*spikes.shape[:3], *size).sum(axis=(1, 2, 4, 6))
    assert np.array_equal(found, by_tile)
    assert tile_of(done, 0, 63) is None


@pytest.mark.parametrize("seed", range(4))
def test_noise_of_an_image_is_the_same_wherever_its_run_begins(seed: int) -> None:
    """Images 0 to 4 in one run, or in two; on chips whose slots divide an image's tiles or not."""
    network, images, leads = random_network(seed, SMALL), 5, 0
    for shape in (TINY_CHIP, ChipShape(1, 3, 256, 256), ChipShape(5, 1, 256, 256)):
        plain = schedule_network(network, shape)

        def spikes(end: int, first: int = 0, plain: Schedule = plain) -> list[NDArray[Any]]:
            noisy = with_noise(plain, 14, seed, before=first)
            assert isinstance(noisy, Schedule)
            inputs = streamed_in(network, end, first)
            runs = list(run_network(noisy, inputs, GoldenRunner(), NO_READ_BACK))
            assert runs[-1].membranes is not None
            assert runs[-1].answered.all()
            assert not any(run.strays for run in runs)
            nonlocal leads
            leads += sum(part.lead for layer in noisy.layers for part in layer.rounds)
            return [*(run.spikes.unpack() for run in runs), runs[-1].membranes]

        for cut in (1, 3):
            joined = zip(spikes(images), spikes(cut), spikes(images, cut), strict=True)
            for whole, before, behind in joined:
                assert np.array_equal(whole, np.concatenate([before, behind])), (shape, cut)
    assert leads  # otherwise all began at the first slot anyway


def test_a_slot_that_leads_is_no_tiles_core() -> None:
    [done] = small_runs()[0].rounds
    part = replace(done.round, lead=1)
    done = replace(done, round=part, seats=part.seats(np.arange(1)))
    assert tile_of(done, 0, part.slots[0][0]) is None
    assert tile_of(done, 0, part.slots[1][0]) == (0, 0, 0)


def test_read_back_of_a_drawn_share() -> None:
    few, most = (small_runs(read_back=ReadBack(share, 4)) for share in (0.0, 0.9))
    for layer_few, layer_most in zip(few, most, strict=True):
        for a, b in zip(layer_few.rounds, layer_most.rounds, strict=True):
            read = [[len(job) == 2 + 4 for job in run.stimuli] for run in (a, b)]
            output = not layer_few.schedule.layer.spiking
            assert sum(read[0]) == (len(a.stimuli) if output else 1)
            assert sum(read[1]) > len(b.stimuli) // 2
    again = small_runs(read_back=ReadBack(0.9, 4))
    lengths = [
        [list(map(len, r.stimuli)) for run in runs for r in run.rounds] for runs in (most, again)
    ]
    assert lengths[0] == lengths[1]
    draws = [ReadBack(0.5, seed).draw(layer, 40) for seed in (0, 1) for layer in ("conv2", "fc1")]
    assert len({each.tobytes() for each in draws}) == 4


# ---------------------------------------------------------------- wrong chips
def test_a_spike_of_no_neuron_is_a_stray_and_a_lost_membrane_is_missed() -> None:
    class Spoiled(GoldenRunner):
        def run(
            self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
        ) -> Run:
            responses = super().run(program, stimuli, advance).responses
            nowhere = FLIT.pack(kind=int(Kind.HOST), region=int(Region.SPIKE), offset=60, data=0)
            late = FLIT.pack(kind=int(Kind.HOST), region=int(Region.SPIKE), offset=0, data=4)
            extra = np.array([nowhere, late], np.uint64)
            responses[0][1] = np.concatenate([responses[0][1], extra])
            if len(responses[-1]) == 6:
                responses[-1][-1] = responses[-1][-1][1:]
            return Run(responses)

    network = random_network(2, SMALL)
    schedule = schedule_network(network, TINY_CHIP)
    runs = list(run_network(schedule, streamed_in(network, 1), Spoiled(), NO_READ_BACK))
    right = small_runs()
    assert [run.strays for run in runs] == [2 * len(run.rounds) for run in runs]
    assert not runs[-1].answered.any()
    for run, expected in zip(runs[:-1], right, strict=False):
        assert np.array_equal(run.spikes.unpack()[0], expected.spikes.unpack()[0])


@pytest.mark.parametrize("geometry", OTHER_GEOMETRIES, ids=str)
def test_another_convolution(geometry: Geometry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiles are cut as `sw.model.geometry` says, whatever it says."""
    monkeypatch.setattr(layer_config, "CONVOLUTION", geometry)
    network = random_network(4, CONVOLUTIONS, input_shape=(1, 17, 16), timesteps=3)
    schedule = assert_streamed(network, 3, ChipShape(2, 2, 128, 64))
    assert max(layer.windows.tiles for layer in schedule.layers) > 1
