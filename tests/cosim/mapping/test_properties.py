"""Networks and descriptions that Hypothesis draws, in every spike: plain sums, integers, golden."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import Chips
from cosim.experiment.levels.streamed.passes import ReadBack
from cosim.experiment.levels.streamed.run import run_streamed
from cosim.golden.runner import GoldenRunner
from cosim.mapping.resident import map_network
from cosim.mapping.streamed import schedule_network
from hw.spec import FULL_CHIP, ChipShape
from sw.common.errors import InputError
from sw.common.stopwatch import Stopwatch
from sw.integer.fold import fold
from sw.integer.inference import run
from sw.integer.network import IntegerNetwork
from sw.model.architectures import DIGITS
from sw.model.config.network import NetworkConfig
from sw.train.description import described
from tests.support import integer_steps
from tests.support.arms import arms_networks, random_inputs
from tests.support.descriptions import with_numbers

LARGE = ChipShape(8, 8, 256, 128)
WIDE = ChipShape(2, 2, 256, 256)
# The same examples each time; what fails is printed, made as small as can be.
REPEATED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.slow
@REPEATED
@given(network=arms_networks())
def test_resident(network: IntegerNetwork) -> None:
    spikes = random_inputs(network, 0)
    trace = run(network, spikes)
    for image, each in enumerate(spikes):
        fired, membranes = integer_steps.run(network, each)
        assert trace.membrane[image].tolist() == membranes
        for name, found in trace.spikes.items():
            assert np.array_equal(found[:, image], fired[name] > 0), name
    chips, program = Chips(GoldenRunner(), None), map_network(network, LARGE)
    assert run_resident(program, network, spikes, chips, Stopwatch()).mapping_mismatches == 0


@pytest.mark.slow
@REPEATED
@given(network=arms_networks(recurrent=False))
def test_streamed(network: IntegerNetwork) -> None:
    chips, read_back = Chips(GoldenRunner(), None), ReadBack(1.0, 0)
    schedule = schedule_network(network, WIDE)
    result = run_streamed(schedule, network, random_inputs(network, 0), chips, read_back)
    assert result.mapping_mismatches == 0


NEURONS = {
    "recurrent": st.booleans(),
    "neuron": st.sampled_from(["if", "lif"]),
    "leak": st.sampled_from([0.5, 0.75, 1.0, 0.75, 0.0]),
    "theta": st.sampled_from([0.3, 1.0]),
    "reset": st.sampled_from(["zero", "subtract"]),
}
WINDOWS = {
    "kernel": st.sampled_from([1, 2, 3, 5, 3, 0]),
    "stride": st.sampled_from([1, 2, 1]),
    "padding": st.integers(0, 2),
    "dilation": st.sampled_from([1, 2]),
    "groups": st.sampled_from([1, 2]),
    "depthwise": st.booleans(),
    "pointwise": st.booleans(),
    "pool": st.sampled_from([True, 2, 3]),
    "pool_stride": st.sampled_from([1, 2]),
    "pool_padding": st.sampled_from([0, 1]),
}


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to five layers, of which most fit together."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["conv", "fc"] if number > 1 else ["conv", "conv", "fc"]))
        keys = st.fixed_dictionaries({}, optional=NEURONS | (WINDOWS if kind == "conv" else {}))
        table = {"kind": kind, "features": 4, "name": f"n{number}"} | draw(keys)
        more: bool = draw(st.booleans())
        if found and more:
            name = st.sampled_from([each["name"] for each in found])
            key = draw(st.sampled_from(["shortcut", "inputs", "add"]))
            table[key] = draw(st.lists(name, min_size=1, max_size=2))
        found.append(table)
    return found


def _described(path: Path) -> tuple[str, NetworkConfig | None]:
    """Why there is no such network, or the network."""
    try:
        return "", described(path, DIGITS)
    except InputError as error:
        return str(error), None


def _toml(drawn: list[dict[str, Any]]) -> str:
    lines = []
    for table in drawn:
        lines.append("[[layer]]")
        for key, value in table.items():
            text = str(value).lower() if isinstance(value, bool) else repr(value)
            lines.append(f"{key} = {text}")
    return "\n".join(lines)


@pytest.mark.slow
@settings(REPEATED, max_examples=200)
@given(drawn=tables(), seed=st.integers(0, 9))
def test_a_description_is_refused_or_runs(
    drawn: list[dict[str, Any]], seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "net.toml"
    path.write_text(_toml(drawn))
    sentence, config = _described(path)
    if config is None:
        assert str(path) in sentence
        assert "\n" not in sentence
        return
    network = with_numbers(config, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 1, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        quantised = network.trace(torch.from_numpy(pixels).double() / 255)
    folded = fold(network)
    integer = run(folded, pixels)
    if all(layer.reset == "zero" for layer in config.layers):
        for name, spikes in quantised.spikes.items():
            assert np.array_equal(integer.spikes[name], spikes.numpy() == 1), name
    chips, program = Chips(GoldenRunner(), None), map_network(folded, FULL_CHIP)
    assert run_resident(program, folded, pixels, chips, Stopwatch()).mapping_mismatches == 0
