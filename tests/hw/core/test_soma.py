"""Neuron arithmetic against Python integers, at the extremes and at random."""

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from amaranth import Module, Signal, Value, signed

from hw import spec
from hw.core import soma
from hw.spec import MEMBRANE_MAX as MAX
from hw.spec import MEMBRANE_MIN as MIN
from hw.spec import ResetMode
from tests.support.amaranth_sim import simulate, simulate_combinational

EXTREMES = [MIN, MIN + 1, -5, -1, 0, 1, 2, 7, MAX - 1, MAX]


def clip(value: int) -> int:
    return max(MIN, min(MAX, value))


def check_function(
    shapes: list[Any],
    build: Callable[..., Value],
    cases: Sequence[tuple[int, ...]],
    expected: Callable[..., int],
) -> None:
    m = Module()
    inputs = [Signal(shape) for shape in shapes]
    result = Signal(signed(40))
    m.d.comb += result.eq(build(*inputs))

    async def check(ctx: Any) -> None:
        for case in cases:
            for signal, value in zip(inputs, case, strict=True):
                ctx.set(signal, value)
            assert ctx.get(result) == expected(*case), case

    simulate_combinational(m, check)


MEMBRANE = signed(spec.MEMBRANE_BITS)


def test_saturate() -> None:
    wide = signed(soma.SUM_BITS)
    cases = [(v,) for v in (*EXTREMES, MAX + 1, MIN - 1, 3 * MIN, -3 * MIN)]
    check_function([wide], soma.saturate, cases, clip)


def test_leak_is_an_arithmetic_shift() -> None:
    cases = list(itertools.product(EXTREMES, range(32), (0, 1)))
    check_function(
        [MEMBRANE, spec.LEAK_BITS, 1],
        soma.leak,
        cases,
        lambda v, k, on: v - (v >> k) if on else v,
    )


def test_threshold_with_noise_never_wraps() -> None:
    cases = list(itertools.product(EXTREMES, EXTREMES, (0, 1, 0xFFFF)))
    check_function(
        [MEMBRANE, MEMBRANE, spec.LFSR_BITS],
        soma.fires,
        cases,
        lambda v, threshold, noise: int(v >= threshold + noise),
    )


def test_reset_modes() -> None:
    cases = list(itertools.product(EXTREMES, EXTREMES, ResetMode))
    results: dict[ResetMode, Callable[[int, int], int]] = {
        ResetMode.ZERO: lambda v, t: 0,
        ResetMode.SUBTRACT: lambda v, t: clip(v - t),
        ResetMode.NONE: lambda v, t: v,
    }
    check_function(
        [MEMBRANE, MEMBRANE, 2],
        soma.reset,
        cases,
        lambda v, t, mode: results[ResetMode(mode)](v, t),
    )


def test_lfsr_steps_by_hand() -> None:
    # 1 -> shifted out 1: the taps; 0xB400 -> 0x5A00 -> 0x2D00 -> 0x1680 ...; 3 -> 1 ^ taps.
    cases = [(0,), (1,), (0xB400,), (0x5A00,), (3,), (0xFFFF,)]
    after = {0: 0, 1: 0xB400, 0xB400: 0x5A00, 0x5A00: 0x2D00, 3: 0xB401, 0xFFFF: 0xCBFF}
    check_function([spec.LFSR_BITS], soma.lfsr_next, cases, lambda state: after[state])


@pytest.mark.slow
def test_lfsr_period() -> None:
    m = Module()
    state = Signal(spec.LFSR_BITS, init=1)
    m.d.sync += state.eq(soma.lfsr_next(state))
    full = (1 << spec.LFSR_BITS) - 1

    async def check(ctx: Any) -> None:
        seen = set()
        for _ in range(full):
            seen.add(ctx.get(state))
            await ctx.tick()
        assert ctx.get(state) == 1
        assert seen == set(range(1, full + 1))

    simulate(m, check)


@pytest.mark.parametrize("seed", range(3))
def test_functions_at_random(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.randint(MIN, MAX) >> rng.randrange(32) for _ in range(60)]
    pairs = list(itertools.pairwise(values))
    check_function(
        [MEMBRANE, MEMBRANE],
        lambda v, t: soma.reset(v, t, Value.cast(ResetMode.SUBTRACT)),
        pairs,
        lambda v, t: clip(v - t),
    )
    check_function(
        [MEMBRANE, spec.LEAK_BITS],
        lambda v, k: soma.leak(v, k, Value.cast(1)),
        [(v, rng.randrange(32)) for v in values],
        lambda v, k: v - (v >> k),
    )
