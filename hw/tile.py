"""A tile of the mesh: one core and its router, each a block that can be simulated on its own."""

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw import layouts, spec
from hw.core.core import Core, CoreSignature
from hw.mesh.router import Port, Router

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


class CoreBlockSignature(wiring.Signature):
    """The ports of a core as a block.

    Interface attributes
    --------------------
    reset, x, y, go, idle : In, Out
        See `TileSignature`; `idle` does not know of a flit that is at `inbound`.
    inbound, outbound, flits, stalls, clear_counters : In, Out
        See `CoreSignature`.
    """

    def __init__(self) -> None:
        super().__init__({"reset": In(1), **CoreSignature().members})


class CoreBlock(wiring.Component):
    """The core, its place, its reset and `go` coming in through registers."""

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._core = Core(axons, dendrites)
        super().__init__(CoreBlockSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = self._core
        reset = _registered(m, self, core)
        go = Signal()
        m.d.sync += go.eq(self.go)
        m.submodules.core = ResetInserter(reset)(core)
        connect(m, flipped(self.inbound), core.inbound)
        connect(m, core.outbound, flipped(self.outbound))
        m.d.comb += [
            core.go.eq(go),
            core.flits.eq(self.flits),
            core.stalls.eq(self.stalls),
            self.clear_counters.eq(core.clear_counters),
            self.idle.eq(core.idle & ~go & ~reset),
        ]
        return m


class RouterBlock(wiring.Component):
    """The router, its place and its reset coming in through registers.

    Interface attributes
    --------------------
    reset, x, y, idle : In, Out
        See `TileSignature`.
    inputs, outputs, flits, stalls, clear_counters : In, Out
        See `Router`.
    """

    def __init__(self) -> None:
        self._router = Router()
        super().__init__({"reset": In(1), **self._router.signature.members})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        router = self._router
        reset = _registered(m, self, router)
        m.submodules.router = ResetInserter(reset)(router)
        for port in Port:
            connect(m, flipped(self.inputs[port]), router.inputs[port])
            connect(m, router.outputs[port], flipped(self.outputs[port]))
        m.d.comb += [
            self.flits.eq(router.flits),
            self.stalls.eq(router.stalls),
            router.clear_counters.eq(self.clear_counters),
            self.idle.eq(router.idle & ~reset),
        ]
        return m


def _registered(m: Module, outer: CoreBlock | RouterBlock, inner: Core | Router) -> Signal:
    """Passes the place on, and returns the reset: both one cycle later."""
    x, y = Signal.like(outer.x), Signal.like(outer.y)
    reset = Signal(init=1, reset_less=True)
    m.d.sync += [x.eq(outer.x), y.eq(outer.y), reset.eq(outer.reset)]
    m.d.comb += [inner.x.eq(x), inner.y.eq(y)]
    return reset


class Tile(wiring.Component):
    """The block that the chip is made of, the same at every place: nothing but two blocks' wires.

    No path leads from an input to an output within a cycle, through the tile or through one of its
    blocks, and a block that is idle and receives neither a flit nor `go` does not change: blocks
    are simulated one by one, and only while awake. `core` is another core in the place of ours,
    with the same ports; all of this is then its own business.
    """

    def __init__(
        self,
        axons: int = spec.AXONS,
        dendrites: int = spec.DENDRITES,
        core: wiring.Component | None = None,
    ) -> None:
        self._axons, self._dendrites, self._core = axons, dendrites, core
        super().__init__(TileSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        core = CoreBlock(self._axons, self._dendrites) if self._core is None else self._core
        m.submodules.core = core
        m.submodules.router = router = RouterBlock()
        for block in (core, router):
            m.d.comb += [block.reset.eq(self.reset), block.x.eq(self.x), block.y.eq(self.y)]
        for side in SIDES:
            connect(m, flipped(self.inputs[side]), router.inputs[side])
            connect(m, router.outputs[side], flipped(self.outputs[side]))
        connect(m, core.outbound, router.inputs[Port.LOCAL])
        connect(m, router.outputs[Port.LOCAL], core.inbound)
        m.d.comb += [
            core.go.eq(self.go),
            core.flits.eq(router.flits),
            core.stalls.eq(router.stalls),
            router.clear_counters.eq(core.clear_counters),
            self.idle.eq(core.idle & router.idle),
        ]
        return m
