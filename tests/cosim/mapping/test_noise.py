"""Threshold noise: where it goes, that it changes something, and RTL equal to golden with it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.experiment.levels.streamed.passes import ReadBack
from cosim.mapping import noise
from cosim.mapping.choose import Mapping, choose_mapping
from cosim.mapping.noise import relative, with_noise
from cosim.mapping.streamed import Schedule
from cosim.program.program import Program
from cosim.report.figures import mismatches
from cosim.report.verdict import verdict
from cosim.rtl.runner import verilated
from hw.spec import FULL_CHIP, LFSR_BITS, ChipShape, ResetMode
from sw.attack.image_sets import block_seed
from sw.common.errors import InputError
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.networks import Sketch, random_network
from tests.support.subjects import SHAPE, FakeRtl, make_run_of, make_shards, make_subject

STRONG = 13  # bits: about a third of a threshold


def test_hidden_layers_have_it_and_the_output_does_not() -> None:
    mapping = make_subject().mapping
    assert isinstance(mapping, Program)
    noisy = with_noise(mapping, 5, seed=1)
    assert isinstance(noisy, Program)
    output = set(np.unique(mapping.layers[-1].core).tolist())
    seeds = []
    for before, after in zip(mapping.cores, noisy.cores, strict=True):
        if before.number in output:
            assert after is before
            assert after.reset is ResetMode.NONE
        else:
            assert (before.noise_mask, after.noise_mask) == (0, 31)
            seeds.append(after.seed)
        assert np.array_equal(after.synapses, before.synapses)
    assert len(seeds) >= 2
    assert len(set(seeds)) == len(seeds)
    assert 0 not in seeds  # that LFSR would stand still


def test_streamed_layers_have_it_too() -> None:
    mapping = make_subject(TINY_CHIP).mapping
    assert isinstance(mapping, Schedule)
    noisy = with_noise(mapping, 5, seed=1)
    assert isinstance(noisy, Schedule)
    for layer in noisy.layers:
        masks = {core.noise_mask for part in layer.rounds for core in part.program.cores}
        assert masks == {31 if layer.layer.spiking else (1 << LFSR_BITS) - 1}


def test_none_changes_nothing_and_another_seed_does() -> None:
    mapping = make_subject().mapping
    assert with_noise(mapping, 0, seed=1) is mapping
    drawn = [with_noise(mapping, 5, seed=seed) for seed in (1, 1, 2)]
    seeds = [[core.seed for core in one.cores] for one in drawn if isinstance(one, Program)]
    assert seeds[0] == seeds[1] != seeds[2]


@pytest.mark.parametrize("bits", [-1, 17])
def test_more_bits_than_the_lfsr_has(bits: int) -> None:
    with pytest.raises(InputError, match=f"{bits} bits of noise: must be 0 to 16"):
        with_noise(make_subject().mapping, bits, seed=1)


def test_its_size_is_by_the_median_threshold() -> None:
    layers = make_subject().network.layers[1:]
    middle = np.median(np.concatenate([np.repeat(layers[0].threshold, 16), layers[1].threshold]))
    assert relative(0, layers) == 0
    assert relative(4, layers) == pytest.approx(15 / middle)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_it_changes_spikes_and_is_not_held_against_the_network(shape: ChipShape) -> None:
    runs = [
        make_run_of(make_subject(shape), FakeRtl(), make_shards(6, noise_bits=bits))
        for bits in (0, STRONG)
    ]
    assert [mismatches(run) for run in runs] == [0, 0]
    quiet, noisy = (run.sets["clean"].spikes["conv2"]["golden"] for run in runs)
    assert noisy < quiet  # it only ever raises a threshold
    assert "which the integer network has not" in verdict(runs[1]).detail
    assert runs[1].noise.bits == STRONG
    assert runs[1].noise.share > 0.2


@pytest.mark.rtl
@pytest.mark.parametrize("bits", [4, STRONG])
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_rtl_equals_golden_with_it(shape: ChipShape, bits: int) -> None:
    shards = make_shards(6, noise_bits=bits)
    run = make_run_of(make_subject(shape), verilated(shape), shards)
    assert verdict(run).equal, verdict(run)
    spikes = run.sets["clean"].spikes["conv2"]
    assert spikes["rtl"] == spikes["golden"] > 50


def seeds_of(mapping: Mapping) -> list[list[int]]:
    """The cores' seeds of each program: of a streamed layer's each round."""
    if isinstance(mapping, Program):
        silent = set(np.unique(mapping.layers[-1].core).tolist())
        return [[core.seed for core in mapping.cores if core.number not in silent]]
    return [
        [core.seed for core in part.program.cores]
        for layer in mapping.layers
        if layer.layer.spiking
        for part in layer.rounds
    ]


@pytest.mark.parametrize("streamed", [True, False])
def test_no_two_cores_rounds_layers_noises_or_runs_share_their_seeds(streamed: bool) -> None:
    """16 bits leave room for all: cores of one program or of several, of one round or two."""
    sketches = (Sketch("conv", 2), Sketch("fc", 50), Sketch("fc", 50), Sketch("fc", 3))
    mapping = choose_mapping(random_network(1, sketches), TINY_CHIP if streamed else FULL_CHIP)
    assert isinstance(mapping, Schedule if streamed else Program)
    noisy = [with_noise(mapping, bits, run) for bits in (5, 6) for run in (1, 2)]
    programs = [seeds for each in noisy for seeds in seeds_of(each)]
    assert len(programs) == (4 if streamed else 1) * 4
    every = [seed for seeds in programs for seed in seeds]
    assert len(every) >= (40 if streamed else 8)
    assert len(set(every)) == len(every)


def test_seeds_are_drawn_from_all_states_but_0() -> None:
    mapping = make_subject(TINY_CHIP).mapping
    noisy = [with_noise(mapping, 3, run) for run in range(400)]
    every = [seed for each in noisy for seeds in seeds_of(each) for seed in seeds]
    assert np.histogram(every, bins=16, range=(0, 1 << LFSR_BITS))[0].min() > len(every) // 32
    assert 0 not in every


def test_the_least_seed_is_1_and_the_largest_has_16_bits() -> None:
    """A generator that always draws the least, or the most: 0 would make an LFSR stand still."""

    class Extreme:
        def __init__(self, most: bool) -> None:
            self.most = most

        def integers(self, low: int, high: int, size: int) -> NDArray[np.int64]:
            return np.full(size, high - 1 if self.most else low)

    mapping = make_subject().mapping
    assert isinstance(mapping, Program)
    for most, seed in ((False, 1), (True, (1 << LFSR_BITS) - 1)):
        noisy = noise._noisy(mapping, 4, Extreme(most), set())  # type: ignore[arg-type]
        assert {core.seed for core in noisy.cores} == {seed}


def test_cores_layers_and_blocks_of_images_have_seeds_of_their_own() -> None:
    """Images of one hundred of the sample share them, and nobody else does."""
    assert block_seed(5, 0) == block_seed(5, 99)
    assert len({block_seed(seed, first) for seed in (0, 1, 5) for first in (0, 100, 200)}) == 9
    drawn = []
    for shape in (SHAPE, TINY_CHIP):
        mapping = make_subject(shape).mapping
        for first in (0, 100):
            noisy = with_noise(mapping, 5, block_seed(5, first))
            programs = (
                [noisy]
                if isinstance(noisy, Program)
                else [part.program for layer in noisy.layers for part in layer.rounds]
            )
            found = [[core.seed for core in one.cores if core.noise_mask == 31] for one in programs]
            drawn += [tuple(seeds) for seeds in found if seeds]
    assert len(set(drawn)) == len(drawn) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_an_images_noise_does_not_depend_on_how_many_go_through_the_rtl(shape: ChipShape) -> None:
    """The golden model of 12 images, of which 12, 7 or 1 are in RTL: 1 shard or 2."""
    found = [
        make_run_of(
            make_subject(shape), FakeRtl(), make_shards(12, ("clean",), rtl, noise_bits=STRONG)
        )
        .sets["clean"]
        .predictions["golden"]
        for rtl in (12, 7, 1)
    ]
    assert found[0] == found[1] == found[2]
    quiet = make_run_of(make_subject(shape), FakeRtl(), make_shards(12, ("clean",)))
    assert quiet.sets["clean"].predictions["golden"] != found[0]


def test_read_back_is_of_other_passes_in_every_layer_and_seed() -> None:
    drawn = [
        tuple(ReadBack(0.5, seed).draw(layer, 64).tolist())
        for seed in (1, 2)
        for layer in ("conv1", "conv2")
    ]
    assert len(set(drawn)) == len(drawn)
