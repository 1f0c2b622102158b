"""The Python API as a user has it: `import nc64c`, a program by hand, a network, a broken chip."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np
import pytest

import nc64c
from sw.integer import inference, network_file
from tests.support.networks import SMALL, random_network
from tests.support.nir_graphs import DT, TIMESTEPS, Drawn

TINY = nc64c.ChipShape(2, 1, 64, 32)


def two_cores() -> nc64c.Program:
    """Core (0, 0) has a neuron for each of axons 0 to 2, which fires into core (1, 0); a neuron
    there counts, fires at 2, and tells the host."""
    first = nc64c.core(
        0,
        0,
        np.eye(3, 64, dtype=bool),
        np.full(3, 1),
        fan_out=[[nc64c.to_axons(n, x=1, y=0)] for n in range(3)],
    )
    second = nc64c.core(1, 0, np.ones((1, 64), bool), np.array([2]), fan_out=[[nc64c.to_host()]])
    return nc64c.Program(TINY, (first, second))


def tick(*axons: int) -> nc64c.Step:
    flits = [nc64c.spike(axon, x=0, y=0) for axon in axons]
    return nc64c.Step(np.array(flits, np.uint64), go=True)


@pytest.mark.slow
def test_a_program_by_hand_on_golden_and_rtl() -> None:
    program = two_cores()
    restart = nc64c.control(TINY, nc64c.Control.RESTART)
    reading = nc64c.read_membranes(program)
    stimuli = [
        [restart, tick(0, 1), tick(), reading],  # two spikes: it fires, and is reset
        [restart, tick(2), tick(), tick(1), tick(), reading],  # one, and later another
        [restart, tick(0), tick(), reading],  # one only: its membrane keeps it
    ]
    both = nc64c.run_both(program, stimuli, nc64c.amaranth(TINY))
    assert both.comparison.equal
    for run in (both.golden, both.rtl):
        seen = [nc64c.decode(response) for response in run.responses]
        assert [each.spikes.tolist() for each in seen] == [[[1, 1, 0]], [[3, 1, 0]], []]
        assert [each.membranes[-1].tolist() for each in seen] == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]
    assert both.rtl.totals.ticks == 8


def test_either_golden_model_answers_the_same() -> None:
    program = two_cores()
    stimulus = [tick(0, 1), tick(), nc64c.read_membranes(program)]
    runs = [nc64c.golden(kind).run(program, [stimulus] * 2) for kind in ("numpy", "batched")]
    assert nc64c.decode(runs[1].responses[1]).spikes.tolist() == [[1, 1, 0]]
    assert nc64c.compare([stimulus] * 2, *runs).equal
    with pytest.raises(nc64c.InputError, match="must be numpy or batched"):
        nc64c.golden("other")


def test_both_chips_begin_anew_in_every_run() -> None:
    program = two_cores()
    half = [nc64c.control(TINY, nc64c.Control.RESTART), tick(0), tick()]
    golden = nc64c.golden()
    for _ in range(2):
        golden.run(program, [half])
        both = nc64c.run_both(program, [[tick(1), tick(), nc64c.read_membranes(program)]], golden)
        assert both.comparison.equal
        assert nc64c.decode(both.rtl.responses[0]).membranes[-1].tolist() == [1, 0, 1]


def test_a_broken_chip_is_named_at_its_first_mismatch() -> None:
    """A synapse that is stuck at 0: the spike of neuron 1 never comes about."""
    program = two_cores()
    stuck = program.cores[0].synapses.copy()
    stuck[:, 1] = False
    broken = nc64c.Program(TINY, (replace(program.cores[0], synapses=stuck), program.cores[1]))

    class Broken:
        def run(
            self,
            program: nc64c.Program,
            stimuli: Sequence[nc64c.Stimulus],
            advance: nc64c.Advance = lambda _: None,
        ) -> nc64c.Run:
            return nc64c.golden().run(broken, stimuli, advance)

    restart, reading = nc64c.control(TINY, nc64c.Control.RESTART), nc64c.read_membranes(program)
    stimuli = [[restart, tick(0), tick(), reading], [restart, tick(0, 1), tick(), reading]]
    found = nc64c.run_both(program, stimuli, Broken()).comparison
    assert not found.equal
    assert str(found.first) == "image 1, tick 1, core (1, 0), neuron 0: spike, expected 1, got none"
    assert (found.mismatched_spikes, found.mismatched_membranes) == (1, 1)


def test_a_network_from_images_to_classes() -> None:
    network = random_network(3, SMALL)
    program = nc64c.map_network(network)
    shape = (6, *network.input_shape)
    images = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    stimuli = nc64c.image_stimuli(program, network, images)
    run = nc64c.golden().run(program, stimuli)
    expected = inference.run(network, images).predictions
    assert nc64c.predictions(program, run).tolist() == expected.tolist()
    assert nc64c.compare(stimuli, run, run).equal


def test_the_digits_network_is_loaded() -> None:
    trained = nc64c.load_checkpoint("checkpoints/digits.safetensors")
    network = nc64c.integer_network(trained)
    assert len(nc64c.map_network(network).cores) > 5
    with pytest.raises(nc64c.InputError, match="cannot read"):
        nc64c.load_checkpoint("nowhere.safetensors")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"synapses": np.ones((3, 2, 64), bool)}, "2 planes of synapses, but 1 plane weights"),
        ({"threshold": np.ones(2, np.int64)}, r"threshold is int64 \(2,\), must be whole numbers"),
        ({"threshold": np.ones(3)}, "threshold is float64"),
        ({"threshold": np.full(3, 2**31)}, "must fit 32 bits"),
        ({"fan_out": [[]]}, "fan-out of 1 neurons, but synapses of 3"),
    ],
)
def test_arrays_that_do_not_fit_together(given: dict[str, object], words: str) -> None:
    arguments = {"synapses": np.ones((3, 64), bool), "threshold": np.ones(3, np.int64)} | given
    with pytest.raises(ValueError, match=words):
        nc64c.core(0, 0, **arguments)  # type: ignore[arg-type]


def test_pages_and_planes_follow_from_the_array() -> None:
    image = nc64c.core(
        1, 0, np.ones((2, 3, 4, 64), bool), np.ones(3, np.int8), (8, 4, 2, 1), leak=2, trace=True
    )
    assert (image.neurons, image.pages, image.planes, image.leak) == (3, 2, 4, 2)
    assert image.threshold.dtype == np.int32


def test_summaries(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    with pytest.raises(nc64c.InputError, match="cannot read"):
        nc64c.read_summary(tmp_path)
    for wrong in ("{", "[]", json.dumps({"schema_version": 99})):
        path.write_text(wrong)
        with pytest.raises(nc64c.InputError, match=str(path)):
            nc64c.read_summary(tmp_path)
    path.write_text(json.dumps({"schema_version": 1, "images": 3}))
    assert nc64c.read_summary(tmp_path)["images"] == 3


def test_the_module_names_what_it_has() -> None:
    assert {"run_both", "spike", "load_checkpoint"} <= set(dir(nc64c))
    with pytest.raises(AttributeError, match="nc64c has no nonsense"):
        nc64c.nonsense  # noqa: B018


def test_a_network_of_others(tmp_path: Path) -> None:
    drawn = Drawn(3)
    nir.write(tmp_path / "net.nir", drawn.graph)
    network = nc64c.import_nir(tmp_path / "net.nir", TIMESTEPS, dt=DT, reset="subtract")
    network_file.save(tmp_path / "file", network)
    assert nc64c.load_network(tmp_path / "file").feeds == network.feeds
    with pytest.raises(nc64c.InputError, match="reset 'other'"):
        nc64c.import_nir(tmp_path / "net.nir", TIMESTEPS, reset="other")
