"""A queue of two flits: the least that passes on one a cycle without joining its two sides."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import layouts

DEPTH = 2


class FlitQueue(wiring.Component):
    """First in, first out. `source.ready` and `sink.valid` depend on nothing but what it holds.

    Interface attributes
    --------------------
    source, sink : In, Out
        Flits in and out.
    """

    def __init__(self) -> None:
        super().__init__({"source": In(layouts.flit_stream()), "sink": Out(layouts.flit_stream())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The flits themselves need no reset: what counts is whether there is one.
        head = Signal(layouts.FLIT, reset_less=True)
        next_one = Signal(layouts.FLIT, reset_less=True)
        has_head, has_next = Signal(), Signal()
        m.d.comb += [
            self.source.ready.eq(~has_next),
            self.sink.valid.eq(has_head),
            self.sink.payload.eq(head),
        ]
        push = self.source.valid & ~has_next
        pop = has_head & self.sink.ready
        with m.If(pop):
            m.d.sync += [head.eq(next_one), has_head.eq(has_next | push), has_next.eq(0)]
            with m.If(push):
                m.d.sync += head.eq(self.source.payload)
        with m.Elif(push):
            m.d.sync += [has_head.eq(1), has_next.eq(has_head)]
            with m.If(has_head):
                m.d.sync += next_one.eq(self.source.payload)
            with m.Else():
                m.d.sync += head.eq(self.source.payload)
        return m
