"""One interface, several chips: what runs programs gives the golden model's responses."""

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.program.runner import Runner
from cosim.program.stimulus import Step, control, read, read_membranes
from cosim.rtl import amaranth_sim
from cosim.rtl.icarus import icarus
from cosim.rtl.runner import verilated, zeros
from cosim.verify.random.programs import SMALL, random_program, random_steps
from hw.spec import FANOUT_ENTRIES, FLIT, NEURON_STRIDE, ROW_WORDS, ChipShape, Control, Region
from sw.common.errors import InputError
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

TINY = ChipShape(2, 2, 64, 32)  # Amaranth's simulator is slow


def chip(name: str, shape: ChipShape) -> Runner:
    match name:
        case "Verilator":
            return verilated(shape)
        case "Verilator, front door":
            return verilated(shape, front_door=True)
        case "Icarus Verilog":
            if not icarus.installed():
                pytest.skip("Icarus Verilog is not installed")
            return icarus.runner(shape)
    return amaranth_sim.runner(shape)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Verilator", SMALL),
        ("Verilator, front door", SMALL),
        ("Icarus Verilog", TINY),
        ("Amaranth", TINY),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_runner_gives_the_golden_models_responses(
    name: str, shape: ChipShape, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    program = random_program(rng, shape)
    ticks = [step for step in random_steps(rng, program, ticks=6, reconfigure=False) if step.go]
    restart, reading = control(shape, Control.RESTART), read_membranes(program)
    stimuli = [[restart, *ticks[:number], reading] for number in (2, len(ticks))]
    heard: list[int] = []
    expected = GoldenRunner().run(program, stimuli)
    found = chip(name, shape).run(program, stimuli, heard.append)
    for number, (want, have) in enumerate(zip(expected.responses, found.responses, strict=True)):
        assert_equal(want, have, f"{name}, seed {seed}, stimulus {number}")
    assert sum(heard) == 2
    assert found.totals.ticks == 2 + len(ticks)
    assert found.totals.cycles > 100
    assert sum(int(counts.sum()) for counts in found.totals.counters.values()) > 0


@pytest.mark.parametrize("shape", [TINY, ChipShape(1, 2, 128, 1024)])
def test_zeros_reach_every_word_of_every_memory(shape: ChipShape) -> None:
    ones = zeros(shape) | np.uint64(FLIT.pack(data=1))  # a value that fits every word
    words = [(Region.SYNAPSE, row * ROW_WORDS, shape.row_words) for row in range(shape.dendrites)]
    words += [(Region.NEURON, n * NEURON_STRIDE, 3) for n in range(shape.dendrites)]
    words.append((Region.FANOUT, 0, FANOUT_ENTRIES))
    x, y = shape.columns - 1, shape.rows - 1
    reads = np.array([read(*word, x=x, y=y) for word in words], np.uint64)
    chip = GoldenChip(shape)
    for flits, value in ((ones, 1), (zeros(shape), 0)):
        _, answers = chip.run([Step(flits, go=False), Step(reads, go=False)])
        data = FLIT.get(answers, "data")
        assert len(data) == shape.dendrites * (shape.row_words + 3) + FANOUT_ENTRIES
        assert (data == value).all()


def test_icarus_verilog_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="install it, so that iverilog and vvp are on the PATH"):
        icarus.runner(TINY)


def test_steps_that_overlap_keep_their_answers_apart() -> None:
    """Spikes for the next tick are sent while one runs; what fires belongs to the one that ran."""
    rng = np.random.default_rng(7)
    program = random_program(rng, TINY)
    spikes = [
        Step(step.flits, go=True)
        for step in random_steps(rng, program, ticks=8, reconfigure=False)
        if step.go and len(step.flits)
    ]
    stimulus = [control(TINY, Control.RESTART), *spikes, read_membranes(program)]
    [expected] = GoldenRunner().run(program, [stimulus]).responses
    [found] = amaranth_sim.runner(TINY).run(program, [stimulus]).responses
    assert_equal(expected, found, "seed 7")
