"""Reset in the middle of traffic: the tile then does what it does after power-up, to the cycle."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from hw import spec
from hw.spec import AXON, FANOUT, FANOUT_RANGE, FLIT, LEAK, Control, Counter, Kind, Region, Register
from hw.tile import SIDES, Tile
from tests.support.amaranth_sim import simulate

pytestmark = pytest.mark.slow

AXONS, NEURONS, PLANES = 64, 5, 2
GO = None  # in a list of flits: a tick


def write(region: Region, offset: int, data: int) -> int:
    word = data & 0xFFFF_FFFF
    flit: int = FLIT.pack(kind=Kind.WRITE, region=region, offset=offset, data=word)
    return flit


def read(region: Region, offset: int, words: int) -> int:
    flit: int = FLIT.pack(kind=Kind.READ, region=region, offset=offset, data=words)
    return flit


def spikes(rng: random.Random, count: int) -> list[int]:
    """To this core, on both of its pages, and to the neighbours in the east and the north."""
    return [
        FLIT.pack(
            kind=Kind.SPIKE,
            x1=rng.randrange(2),
            y1=rng.randrange(2),
            data=AXON.pack(axon=rng.randrange(AXONS), page=rng.randrange(2)),
        )
        for _ in range(count)
    ]


def program(rng: random.Random, *, restart: bool) -> list[int | None]:
    """All memories that it uses, written; a few ticks with spikes; and all read back.

    It may do without RESTART: reset leaves a core as RESTART does.
    """
    rows = 2 * NEURONS * PLANES
    flits: list[int | None] = [
        write(Region.SYNAPSE, row * spec.ROW_WORDS + word, rng.getrandbits(32))
        for row in range(rows)
        for word in range(AXONS // 32)
    ]
    for neuron in range(NEURONS):
        place = neuron * spec.NEURON_STRIDE
        fan_out = FANOUT_RANGE.pack(start=2 * neuron, count=2)
        flits += [
            write(Region.NEURON, place + spec.NeuronWord.THRESHOLD, rng.randrange(10, 60)),
            write(Region.NEURON, place + spec.NeuronWord.BIAS, rng.randrange(-5, 20)),
            write(Region.NEURON, place + spec.NeuronWord.FANOUT, fan_out),
        ]
    for entry in range(2 * NEURONS):
        word = FANOUT.pack(axon=rng.randrange(AXONS), page=rng.randrange(2), x1=rng.randrange(2))
        flits.append(write(Region.FANOUT, entry, word))
    for register, data in (
        (Register.PLANES, PLANES),
        (Register.PAGE_SHIFT, 1),
        (Register.NEURONS, NEURONS),
        (Register.LEAK, LEAK.pack(shift=2, enable=1)),
        (Register.NOISE_MASK, 15),
        (Register.TRACE, 1),
        (Register.PLANE_WEIGHT, 2),
        (Register.PLANE_WEIGHT + 1, -1),
        *([(Register.CONTROL, Control.RESTART)] if restart else []),
    ):
        flits.append(write(Region.REGISTER, register, data))
    for _ in range(4):
        flits += [*spikes(rng, rng.randrange(12)), GO]
    flits += [
        read(Region.MEMBRANE, 0, NEURONS),
        read(Region.REGISTER, 0, Register.PLANE_WEIGHT + spec.MAX_PLANES),
        read(Region.COUNTER, 0, 2 * len(Counter)),
    ]
    return flits


@dataclass
class Player:
    """Plays flits into the west of a tile at (0, 0), and keeps all that its pins show."""

    tile: Tile
    seen: list[tuple[int, ...]] = field(default_factory=list)

    async def cycle(self, ctx: Any) -> None:
        values = [ctx.get(self.tile.idle)]
        for side in SIDES:
            out = self.tile.outputs[side]
            valid = ctx.get(out.valid)
            payload = ctx.get(out.payload.as_value()) if valid else 0
            values += [ctx.get(self.tile.inputs[side].ready), valid, payload]
        self.seen.append(tuple(values))
        await ctx.tick()

    async def play(self, ctx: Any, flits: list[int | None], cycles: int = 5000) -> None:
        """Flits and ticks in order; at most `cycles`.

        The first one, each READ and each tick only when all is idle.
        """
        west = self.tile.inputs[0]
        for side in SIDES:
            ctx.set(self.tile.outputs[side].ready, 1)
        waiting = list(flits)
        quiet = 0
        awake = False
        for _ in range(cycles):
            awake |= bool(ctx.get(self.tile.idle))
            quiet = quiet + 1 if ctx.get(self.tile.idle) else 0
            if not waiting and quiet > 4:
                return
            word = waiting[0] if waiting else GO
            alone = word is GO or FLIT.get(word, "kind") == Kind.READ
            now = bool(waiting) and awake and (not alone or quiet > 4)
            ctx.set(self.tile.go, now and word is GO)
            ctx.set(west.valid, now and word is not GO)
            ctx.set(west.payload.as_value(), word or 0)
            if now and (word is GO or ctx.get(west.ready)):
                waiting.pop(0)
                quiet = 0
            await self.cycle(ctx)
        ctx.set(self.tile.go, 0)
        ctx.set(west.valid, 0)


def after_power_up(flits: list[int | None]) -> list[tuple[int, ...]]:
    """All that is seen of a program that a new tile runs."""
    player = Player(Tile(AXONS, dendrites=32))

    async def run(ctx: Any) -> None:
        await ctx.tick()
        await player.play(ctx, flits)

    simulate(player.tile, run)
    return player.seen


@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_after_reset_a_tile_is_as_after_power_up(seed: int, restart: bool) -> None:
    """Another program runs before, and is cut off at any cycle; of the SRAMs nothing shows."""
    rng = random.Random(seed)
    before, flits = program(rng, restart=True), program(rng, restart=restart)
    new = after_power_up(flits)
    assert sum(row[2] for row in new) > 40, "silent: no flits to the host"
    player = Player(Tile(AXONS, dendrites=32))

    async def run(ctx: Any) -> None:
        for turn in range(4):
            # Both are about as long: it is cut off in one of its ticks, or while it is read. Or it
            # comes to its end, and one more tick runs into the jam.
            extra = turn == 1
            cut = 5000 if extra else len(new) - rng.randrange(150 if turn else 40)
            await player.play(ctx, before, cycles=cut)
            # A jam: flits wait everywhere, some of whose copies have gone already.
            everywhere = FLIT.pack(kind=Kind.SPIKE, x1=7, y1=7)
            for side in SIDES:
                ctx.set(player.tile.outputs[side].ready, 0)
                ctx.set(player.tile.inputs[side].payload.as_value(), everywhere)
                ctx.set(player.tile.inputs[side].valid, 1)
            ctx.set(player.tile.go, extra)
            for _ in range(60 if extra else rng.randrange(20)):
                await ctx.tick()
                ctx.set(player.tile.go, 0)
            ctx.set(player.tile.go, 0)
            for side in SIDES:
                ctx.set(player.tile.inputs[side].valid, 0)
            ctx.set(player.tile.reset, 1)
            for _ in range(1 if extra else rng.choice([1, 1, 3])):
                await ctx.tick()
            ctx.set(player.tile.reset, 0)
            await ctx.tick()
            player.seen.clear()
            await player.play(ctx, flits)
            for cycle, (want, have) in enumerate(zip(new, player.seen, strict=False)):
                assert want == have, f"seed {seed}, cycle {cycle}"
            assert len(new) == len(player.seen), f"seed {seed}"

    simulate(player.tile, run)
