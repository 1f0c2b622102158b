"""READ bursts: words of a core's memories, as flits to the host."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec


class Reader(wiring.Component):
    """Answers a READ: fetches a run of words and sends each to the host, one a cycle.

    Interface attributes
    --------------------
    x, y : In
        This core.
    start, region, offset, words : In
        Begin a run of `words` words; only while not `busy`.
    busy : Out
        Words are still to be sent.
    fetch, fetch_region, fetch_offset : Out
        The word wanted; it stands in `reply` from the next cycle on.
    flits : Out
        To the router.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "x": In(spec.COORD_BITS),
                "y": In(spec.COORD_BITS),
                "start": In(1),
                "region": In(spec.REGION_BITS),
                "offset": In(spec.OFFSET_BITS),
                "words": In(spec.OFFSET_BITS + 1),
                "busy": Out(1),
                "fetch": Out(1),
                "fetch_region": Out(spec.REGION_BITS),
                "fetch_offset": Out(spec.OFFSET_BITS),
                "reply": In(spec.DATA_BITS),
                "flits": Out(layouts.flit_stream()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        region = Signal(spec.REGION_BITS)
        offset = Signal(spec.OFFSET_BITS)
        left = Signal.like(self.words)
        have = Signal()
        have_offset = Signal.like(offset)
        sent = self.flits.valid & self.flits.ready
        m.d.comb += [
            self.busy.eq(have | (left != 0)),
            self.fetch.eq((left != 0) & (~have | sent)),
            self.fetch_region.eq(region),
            self.fetch_offset.eq(offset),
            self.flits.valid.eq(have),
        ]
        with m.If(self.fetch):
            m.d.sync += [
                offset.eq(offset + 1),
                left.eq(left - 1),
                have.eq(1),
                have_offset.eq(offset),
            ]
        with m.Elif(sent):
            m.d.sync += have.eq(0)
        with m.If(self.start):
            m.d.sync += [region.eq(self.region), offset.eq(self.offset), left.eq(self.words)]

        flit = self.flits.payload
        with m.If(have):
            m.d.comb += [
                flit.kind.eq(spec.Kind.HOST),
                flit.region.eq(region),
                flit.offset.eq(have_offset),
                flit.data.eq(self.reply),
                flit.x0.eq(self.x),
                flit.y0.eq(self.y),
                flit.x1.eq(0),
                flit.y1.eq(0),
            ]
        return m
