"""Planes beyond PLANES do not count, whatever their weights and rows are: golden model and core.

A neuron of all-ones rows and weights of 1, 10, 100 ..: its membrane says which planes counted.
"""

from typing import Any

import numpy as np
import pytest

from cosim.golden.chip import GoldenChip
from cosim.program.stimulus import Step, read, write
from hw import spec
from hw.core.core import Core
from hw.spec import AXON, FLIT, ChipShape, Control, Counter, Kind, Region, Register
from tests.support.amaranth_sim import simulate

SHAPE = ChipShape(1, 1, 64, 32)
WEIGHTS = [1, 10, 100, 1000, 10_000, -3, 7, -20_000]
NEURONS = 3  # of up to 8 planes: 24 rows; all 32 are ones


def setup(planes: int) -> list[int]:
    """WRITEs in order: memories, registers, RESTART."""
    words = [
        (Region.SYNAPSE, row * spec.ROW_WORDS + word, 0xFFFF_FFFF)
        for row in range(SHAPE.dendrites)
        for word in range(SHAPE.row_words)
    ]
    words += [
        (Region.NEURON, neuron * spec.NEURON_STRIDE + spec.NeuronWord.THRESHOLD, spec.MEMBRANE_MAX)
        for neuron in range(NEURONS)
    ]
    words += [(Region.REGISTER, Register.PLANE_WEIGHT + p, w) for p, w in enumerate(WEIGHTS)]
    words += [
        (Region.REGISTER, Register.PLANES, planes),
        (Region.REGISTER, Register.NEURONS, NEURONS),
        (Region.REGISTER, Register.CONTROL, Control.RESTART | Control.CLEAR_COUNTERS),
    ]
    return [int(write(*each, x=0, y=0)) for each in words]


SPIKES = [FLIT.pack(kind=int(Kind.SPIKE), data=AXON.pack(axon=axon)) for axon in (3, 60)]
READS = [
    int(read(Region.MEMBRANE, 0, NEURONS, x=0, y=0)),
    int(read(Region.COUNTER, 2 * Counter.SYNAPTIC_OPS, 1, x=0, y=0)),
]


def expected(planes: int) -> list[int]:
    """Three membranes, and the operations: two spikes meet the rows of the planes in use."""
    return [2 * sum(WEIGHTS[:planes]) & 0xFFFF_FFFF] * NEURONS + [2 * planes * NEURONS]


def data_of(flits: list[int]) -> list[int]:
    return [FLIT.get(flit, "data") for flit in flits]


@pytest.mark.parametrize("planes", range(1, 9))
def test_in_the_golden_model(planes: int) -> None:
    steps = [
        Step(np.array(setup(planes), np.uint64), go=False),
        Step(np.array(SPIKES, np.uint64), go=True),
        Step(np.array(READS, np.uint64), go=False),
    ]
    answers = GoldenChip(SHAPE).run(steps)[-1]
    assert data_of(answers.tolist()) == expected(planes)


def test_the_golden_model_tells_used_weights_apart() -> None:
    """Two cores that differ in one weight: of a plane in use, and of one that is not."""
    shape = ChipShape(2, 1, 64, 32)
    for planes, seen in ((3, [[2], [2 + 2 * 90]]), (1, [[2], [2]])):
        flits = []
        for x in (0, 1):
            weights = {0: 1, 1: 0, 2: 90 * x}
            words = [(Region.SYNAPSE, row * spec.ROW_WORDS, 0xFFFF_FFFF) for row in range(3)]
            words += [(Region.REGISTER, Register.PLANE_WEIGHT + p, w) for p, w in weights.items()]
            words += [
                (Region.NEURON, spec.NeuronWord.THRESHOLD, spec.MEMBRANE_MAX),
                (Region.REGISTER, Register.PLANES, planes),
                (Region.REGISTER, Register.NEURONS, 1),
            ]
            flits += [int(write(*each, x=x, y=0)) for each in words]
        spikes = [
            FLIT.pack(kind=int(Kind.SPIKE), x1=1, data=AXON.pack(axon=axon)) for axon in (3, 9)
        ]
        reads = [int(read(Region.MEMBRANE, 0, 1, x=x, y=0)) for x in (0, 1)]
        steps = [(flits, False), (spikes, True), (reads, False)]
        chip = GoldenChip(shape)
        answers = chip.run([Step(np.array(f, np.uint64), go=go) for f, go in steps])[-1]
        assert [[each] for each in data_of(answers.tolist())] == seen


@pytest.mark.slow
@pytest.mark.parametrize("planes", [1, 2, 4, 7, 8])
def test_in_the_core(planes: int) -> None:
    core = Core(SHAPE.axons, SHAPE.dendrites)
    answers: list[int] = []

    async def check(ctx: Any) -> None:
        async def cycle() -> None:
            ctx.set(core.outbound.ready, 1)
            if ctx.get(core.outbound.valid):
                answers.append(ctx.get(core.outbound.payload.as_value()))
            await ctx.tick()

        async def settle() -> None:
            await cycle()
            for _ in range(2000):
                if ctx.get(core.idle):
                    return
                await cycle()
            raise AssertionError("the core does not come to rest")

        await settle()
        for flit in [*setup(planes), *SPIKES, None, *READS]:
            if flit is None:
                ctx.set(core.go, 1)
                await cycle()
                ctx.set(core.go, 0)
            else:
                ctx.set(core.inbound.payload.as_value(), flit)
                ctx.set(core.inbound.valid, 1)
                while not ctx.get(core.inbound.ready):
                    await cycle()
                await cycle()
                ctx.set(core.inbound.valid, 0)
            await settle()

    simulate(core, check)
    assert data_of(answers) == expected(planes)
