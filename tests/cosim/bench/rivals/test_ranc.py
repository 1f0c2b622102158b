"""The race with RANC: one network for our chip and for its simulator, which is not here itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.bench.measure.golden import BATCHED, ONE
from cosim.bench.rivals import ranc, ranc_simulator
from cosim.bench.rivals.ranc_network import Network, draw
from cosim.golden.chip import GoldenChip
from cosim.program.errors import Mismatch, SimulationError
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.rtl.simulator.verilate import find_compiler
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.cli import nc64c

SMALL = ChipShape(2, 2, 64, 64)
TICKS = 40


def golden(network: Network, ticks: int) -> NDArray[np.bool_]:
    chip = GoldenChip(network.shape)
    chip.run([Step(configuration(network.program), go=False)])
    return network.outputs(chip.run(network.steps(ticks)), ticks)


def by_rancs_rules(given: Path, ticks: int) -> NDArray[np.bool_]:
    """The output of what is in the files, by RANC's rules, neuron by neuron."""
    read: dict[str, Any] = json.loads((given / "input.json").read_text())
    config = json.loads((given / "config.json").read_text())
    axons, bus = config["num_axons"], tuple(read["output_bus"]["coordinates"])
    outputs = np.zeros((ticks, read["output_bus"]["num_outputs"]), np.bool_)
    cores = {tuple(core["coordinates"]): core for core in read["cores"]}
    potential = {place: [0] * len(core["neurons"]) for place, core in cores.items()}
    next_spikes: set[tuple[tuple[int, ...], int]] = set()
    for tick in range(ticks):
        spikes, next_spikes = next_spikes, set()
        for packet in read["packets"][tick]:
            spikes.add((tuple(packet["destination_core"]), packet["destination_axon"]))
        for place, core in cores.items():
            assert core["axons"] == [0] * axons
            for number, neuron in enumerate(core["neurons"]):
                heard = (
                    core["connections"][number][axon] and (place, axon) in spikes
                    for axon in range(axons)
                )
                v = potential[place][number] + sum(heard) * neuron["weights"][0] + neuron["leak"]
                if v >= neuron["positive_threshold"]:
                    assert neuron["reset_mode"] == 1
                    v -= neuron["positive_threshold"]
                    offset = neuron["destination_core_offset"]
                    to = tuple(a + b for a, b in zip(place, offset, strict=True))
                    spike = (to, neuron["destination_axon"])
                    assert spike not in next_spikes, "RANC's simulator warns of such a spike"
                    next_spikes.add(spike)
                    if to == bus:
                        outputs[tick, neuron["destination_axon"]] = True
                assert v >= neuron["negative_threshold"]
                potential[place][number] = v
    return outputs


@pytest.mark.parametrize("seed", range(2))
def test_both_are_given_the_same_network(seed: int, tmp_path: Path) -> None:
    network = draw(SMALL, 0.2, TICKS, seed)
    ranc_simulator.write_network(network, tmp_path)
    expected = golden(network, TICKS)
    assert np.array_equal(by_rancs_rules(tmp_path, TICKS), expected), f"seed {seed}"
    assert 0.1 < expected[ranc.BEGUN :].mean() < 0.3, f"seed {seed}"
    for sent in network.sent:
        heard = {tuple(each) for each in sent.tolist()}
        neurons = zip(network.core.ravel().tolist(), network.axon.ravel().tolist(), strict=True)
        assert not heard & set(neurons), f"seed {seed}"


@pytest.mark.rtl
def test_a_rival_that_differs_is_told(tmp_path: Path) -> None:
    race = ranc.Race(SMALL, 1, {}, tmp_path)
    measures = race.measures()  # in which RTL and both golden models are compared
    assert list(measures) == [ranc.RTL, ONE, BATCHED]
    assert measures[BATCHED]() > 0
    wrong = race.expected[:3].copy()
    wrong[2, 5] ^= True
    with pytest.raises(Mismatch, match="X: output 5 differs from the golden model's in tick 2"):
        race._compare("X", wrong)


def simulator(folder: Path, says: str) -> Path:
    """A program that answers as RANC's simulator does: a line a tick, and a table with a mark."""
    program = folder / "says"
    program.write_text(
        "#!/bin/sh\n"
        f"echo Starting simulation with $4 ticks.\n{says}\n"
        'for tick in $(seq $4); do echo "Tick $tick started"; done\n'
        "printf '\\357\\273\\2770 0 \\n0 1 \\n1 0 \\n' > $2\n"
    )
    program.chmod(0o755)
    return program


def test_what_it_answers_is_read(tmp_path: Path) -> None:
    played = ranc_simulator.play(simulator(tmp_path, ""), tmp_path, ticks=2, since=1)
    assert played.outputs.tolist() == [[False, True], [True, False]]
    assert 0 <= played.seconds_per_tick < 60


@pytest.mark.parametrize(
    ("says", "message"),
    [("echo [WARNING] twice", "simulator: .WARNING. twice"), ("exit 3", "with exit code 3")],
)
def test_what_it_should_not_say(tmp_path: Path, says: str, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        ranc_simulator.play(simulator(tmp_path, says), tmp_path, ticks=2, since=1)


def test_folders_without_its_sources(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = nc64c("bench", "all", "--parts", "ranc", "--ranc", tmp_path, "--out", out)
    assert result.exit_code == 2
    assert "give a copy of the repository UA-RCL/RANC" in result.stderr
    assert not out.exists()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "rancgrid.cpp").write_text("int main( {")
    assert ranc_simulator.find_sources(tmp_path) == tmp_path
    assert find_compiler()
    with pytest.raises(InputError, match="could not compile"):
        ranc_simulator.build(tmp_path, ranc_simulator.OPTIMISED, tmp_path)


def test_without_its_sources_it_is_left_out(tmp_path: Path) -> None:
    result = nc64c("bench", "all", "--parts", "ranc", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "its sources were not named (`--ranc`)" in (tmp_path / "benchmarks.md").read_text()
