"""A tile of the mesh: one core and its router."""

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw import layouts, spec
from hw.core import Core
from hw.router import Port, Router

SIDES = (Port.WEST, Port.EAST, Port.SOUTH, Port.NORTH)


class TileSignature(wiring.Signature):
    """The tile's ports.

    Interface attributes
    --------------------
    reset : In
        Back to the state after power-up; the SRAMs keep what they hold.
    x, y : In
        Where the tile is.
    go : In
        Start a tick.
    idle : Out
        The tile has nothing to do and holds no flit.
    inputs, outputs : In, Out
        Links to the neighbours, by `Port`.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "reset": In(1),
                "x": In(spec.COORD_BITS),
                "y": In(spec.COORD_BITS),
                "go": In(1),
                "idle": Out(1),
                "inputs": In(layouts.flit_stream()).array(len(SIDES)),
                "outputs": Out(layouts.flit_stream()).array(len(SIDES)),
            }
        )


class Tile(wiring.Component):
    """The block that the chip is made of, the same at every place.

    No path leads from an input to an output within a cycle, and a tile that is idle and receives
    neither a flit nor `go` does not change: tiles are simulated one by one, and only while awake.
    """

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._axons, self._dendrites = axons, dendrites
        super().__init__(TileSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core, router = Core(self._axons, self._dendrites), Router()
        # Everything comes in through a register: what depends on an input is almost nothing.
        x, y, go = Signal.like(self.x), Signal.like(self.y), Signal()
        reset = Signal(init=1, reset_less=True)
        m.d.sync += [x.eq(self.x), y.eq(self.y), go.eq(self.go), reset.eq(self.reset)]
        m.submodules.core = ResetInserter(reset)(core)
        m.submodules.router = ResetInserter(reset)(router)
        for block in (core, router):
            m.d.comb += [block.x.eq(x), block.y.eq(y)]
        for side in SIDES:
            connect(m, flipped(self.inputs[side]), router.inputs[side])
            connect(m, router.outputs[side], flipped(self.outputs[side]))
        connect(m, core.outbound, router.inputs[Port.LOCAL])
        connect(m, router.outputs[Port.LOCAL], core.inbound)
        m.d.comb += [
            core.go.eq(go),
            core.flits.eq(router.flits),
            core.stalls.eq(router.stalls),
            router.clear_counters.eq(core.clear_counters),
        ]
        m.d.comb += self.idle.eq(core.idle & router.idle & ~go & ~reset)
        return m
