"""The output layer never fires; where it does all the same, or gives no answer, that is seen."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.experiment.levels.answers import NO_ANSWER, mapping_mismatches, read_out
from cosim.golden.chip import GoldenChip
from cosim.mapping.host_layers import chip_inputs
from cosim.mapping.layer.neurons import neuron_settings
from cosim.mapping.resident import map_network
from cosim.program.core_image import core_xy
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, class_membranes, decode, image_stimulus
from hw.spec import (
    FLIT,
    LFSR_BITS,
    MEMBRANE_MAX,
    MEMBRANE_MIN,
    ChipShape,
    Kind,
    Region,
    ResetMode,
)
from sw.integer import inference
from sw.integer.network import IntegerNetwork, Reset
from tests.support.networks import SMALL, random_network

CHIP = ChipShape(4, 4, 256, 256)
NETWORK = random_network(2, SMALL)
IMAGES = np.random.default_rng(2).integers(0, 256, (1, *NETWORK.input_shape), dtype=np.uint8)
PROGRAM = map_network(NETWORK, CHIP)
TRACE = inference.run(NETWORK, IMAGES)

Responses = list[NDArray[np.uint64]]


def golden(network: IntegerNetwork, program: Program) -> Responses:
    """Of the image."""
    chip = GoldenChip(CHIP)
    chip.run([Step(configuration(program), go=False)])
    return chip.run(image_stimulus(program, chip_inputs(network, IMAGES)[:, 0]))


def spike(layer: int, site: int, tick: int) -> NDArray[np.uint64]:
    """A HOST flit of a neuron of a chip layer."""
    at = PROGRAM.layers[layer]
    x, y = core_xy(int(at.core.flat[site]))
    fields = {"kind": int(Kind.HOST), "region": int(Region.SPIKE), "data": tick}
    return np.array([FLIT.pack(**fields, offset=int(at.neuron.flat[site]), x0=x, y0=y)], np.uint64)


def with_flit(responses: Responses, flit: NDArray[np.uint64]) -> Responses:
    return [responses[0], np.concatenate([responses[1], flit]), *responses[2:]]


def wrong(responses: Responses) -> int:
    return mapping_mismatches(PROGRAM, responses, TRACE, 0)


def test_golden_and_network_agree() -> None:
    responses = golden(NETWORK, PROGRAM)
    assert wrong(responses) == 0
    answer = read_out(PROGRAM, responses)
    assert answer.prediction == int(TRACE.predictions[0])
    hidden = [layer.name for layer in PROGRAM.layers[:-1]]
    assert answer.spikes == {name: int(TRACE.spikes[name].sum()) for name in hidden}


@pytest.mark.parametrize("site", [0, 2])
@pytest.mark.parametrize("timestep", [0, 3])
def test_an_output_neuron_that_fires_is_one_mismatch(site: int, timestep: int) -> None:
    responses = golden(NETWORK, PROGRAM)
    last = len(PROGRAM.layers) - 1
    fired = with_flit(responses, spike(last, site, PROGRAM.layers[last].delay + timestep))
    assert wrong(fired) == 1
    # It is no spike of a hidden layer, and changes no answer.
    assert read_out(PROGRAM, fired) == read_out(PROGRAM, responses)


def test_a_spike_at_no_step_of_its_layer_spoils_the_image() -> None:
    """The output has no timestep in tick 0: all spikes count as wrong."""
    responses = golden(NETWORK, PROGRAM)
    fired = with_flit(responses, spike(len(PROGRAM.layers) - 1, 0, 0))
    assert wrong(fired) == len(decode(fired).spikes) > 1


def test_a_missing_output_is_as_many_mismatches_as_classes() -> None:
    responses = golden(NETWORK, PROGRAM)
    flits = responses[-1]
    core = int(PROGRAM.layers[-1].core.flat[0])
    x, y = core_xy(core)
    mine = (FLIT.get(flits, "x0") == x) & (FLIT.get(flits, "y0") == y)
    one = np.flatnonzero(mine)[1]
    lost = [*responses[:-1], np.delete(flits, one)]
    assert wrong(lost) == len(NETWORK.classes)
    assert read_out(PROGRAM, lost).prediction == NO_ANSWER
    # Another one that comes twice does not stand for it.
    twice = [*responses[:-1], np.append(np.delete(flits, one), flits[mine][0])]
    assert read_out(PROGRAM, twice).prediction == NO_ANSWER
    with pytest.raises(ValueError, match="not all membranes were read"):
        class_membranes(PROGRAM, decode(twice))


def test_a_missing_hidden_spike_is_a_mismatch() -> None:
    responses = golden(NETWORK, PROGRAM)
    number = next(n for n, flits in enumerate(responses) if len(flits))
    assert wrong([*responses[:number], responses[number][1:], *responses[number + 1 :]]) == 1


# ---------------------------------------------------------------- why it cannot fire
@pytest.mark.parametrize("reset", ["zero", "subtract", "none"])
def test_whatever_the_file_says_the_output_has_no_reset_and_no_threshold_in_reach(
    reset: Reset,
) -> None:
    layer = replace(NETWORK.layers[-1], reset=reset, threshold=np.zeros(3, np.int64))
    settings = neuron_settings(layer, np.arange(3))
    assert settings["threshold"].tolist() == [MEMBRANE_MAX] * 3
    assert settings["noise_mask"] == (1 << LFSR_BITS) - 1
    assert settings["reset"] is ResetMode.NONE


@pytest.mark.parametrize("bias", [MEMBRANE_MAX, MEMBRANE_MIN])
def test_an_output_at_the_end_of_its_range_is_silent_too(bias: int) -> None:
    """Saturated at the largest membrane, it meets a threshold of that and at least 1 of noise."""
    output = replace(NETWORK.layers[-1], bias=np.full(3, bias))
    network = replace(NETWORK, layers=(*NETWORK.layers[:-1], output))
    program = map_network(network, CHIP)
    observation = decode(golden(network, program))
    sites = program.layers[-1].site(observation.spikes[:, 1], observation.spikes[:, 2])
    assert (sites < 0).all()
    assert len(sites) > 20
    assert class_membranes(program, observation).tolist() == [bias] * 3
