"""What the block-wise simulation relies on (rtl/tb/tile_block.sv), held for the tile itself."""

import random
from typing import Any

import pytest

from hw import spec
from hw.spec import FLIT, Control, Kind, Region, Register
from hw.tile import SIDES, Tile
from tests.support.amaranth_sim import simulate


def outputs(ctx: Any, tile: Tile) -> tuple[int, ...]:
    values = [ctx.get(tile.idle)]
    for side in SIDES:
        link = tile.outputs[side]
        values += [ctx.get(link.valid), ctx.get(link.payload.as_value())]
        values.append(ctx.get(tile.inputs[side].ready))
    return tuple(values)


def write(register: int, data: int) -> int:
    region = Region.REGISTER
    flit: int = FLIT.pack(kind=Kind.WRITE, region=region, offset=register, data=data)
    return flit


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_outputs_depend_on_registers_alone(seed: int) -> None:
    """Within a cycle no input moves an output."""
    rng = random.Random(seed)
    tile = Tile(axons=64, dendrites=16)

    async def check(ctx: Any) -> None:
        for _ in range(150):
            before = outputs(ctx, tile)
            for side in SIDES:
                ctx.set(tile.inputs[side].valid, rng.random() < 0.5)
                ctx.set(tile.inputs[side].payload.as_value(), rng.getrandbits(64))
                ctx.set(tile.outputs[side].ready, rng.random() < 0.5)
            ctx.set(tile.go, rng.random() < 0.05)
            ctx.set(tile.reset, rng.random() < 0.02)
            assert outputs(ctx, tile) == before
            await ctx.tick()

    simulate(tile, check)


def test_an_idle_tile_does_not_change() -> None:
    """Configured, run, and left alone: every output and counter stays as it is."""
    tile = Tile(axons=64, dendrites=16)
    west = tile.inputs[0]
    setup = [
        write(Register.NEURONS, 4),
        write(Register.TRACE, 1),
        write(Register.CONTROL, Control.RESTART),
    ]

    async def send(ctx: Any, flit: int) -> None:
        ctx.set(west.payload.as_value(), flit)
        ctx.set(west.valid, 1)
        await ctx.tick().until(west.ready)
        ctx.set(west.valid, 0)

    async def settle(ctx: Any) -> int:
        """Ticks until idle."""
        for cycle in range(200):
            if ctx.get(tile.idle):
                return cycle
            await ctx.tick()
        raise AssertionError("the tile does not come to rest")

    async def check(ctx: Any) -> None:
        ctx.set(tile.outputs[0].ready, 1)
        await settle(ctx)
        for flit in setup:
            await send(ctx, flit)
        await ctx.tick()
        await settle(ctx)
        for _ in range(3):
            ctx.set(tile.go, 1)
            await ctx.tick()
            ctx.set(tile.go, 0)
            await settle(ctx)
            rest = outputs(ctx, tile)
            for _ in range(20):
                await ctx.tick()
                assert outputs(ctx, tile) == rest
                assert ctx.get(tile.idle)

    simulate(tile, check)


def test_four_neurons_at_threshold_zero_fire_every_tick() -> None:
    """The smallest program: no synapse, no bias, threshold 0, v = 0 >= 0."""
    tile = Tile(axons=64, dendrites=16)
    west_in, west_out = tile.inputs[0], tile.outputs[0]
    fired = []

    async def watch(ctx: Any) -> None:
        ctx.set(west_out.ready, 1)
        await ctx.tick().until(tile.idle)  # out of reset
        for flit in (write(Register.NEURONS, 4), write(Register.TRACE, 1)):
            ctx.set(west_in.payload.as_value(), flit)
            ctx.set(west_in.valid, 1)
            await ctx.tick()
        ctx.set(west_in.valid, 0)
        for cycle in range(240):
            ctx.set(tile.go, cycle in (20, 120))
            if ctx.get(west_out.valid):
                flit = ctx.get(west_out.payload.as_value())
                fired.append((FLIT.get(flit, "data"), FLIT.get(flit, "offset")))
                assert FLIT.get(flit, "region") == spec.Region.SPIKE
            await ctx.tick()

    simulate(tile, watch)
    assert fired == [(tick, neuron) for tick in range(2) for neuron in range(4)]
