"""The fan-out of neurons that fired, as flits into the mesh."""

from amaranth import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec


class Emitter(wiring.Component):
    """Walks the fan-out entries of each neuron that fired, one flit a cycle.

    Interface attributes
    --------------------
    x, y, tick, trace : In
        What goes into the flits for the host; with `trace` every neuron sends one.
    fires : In
        Neurons that fired.
    busy : Out
        Entries are still to be sent.
    flits : Out
        To the router.
    access : In
        Words of `spec.Region.FANOUT`; only while idle.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "x": In(spec.COORD_BITS),
                "y": In(spec.COORD_BITS),
                "tick": In(spec.TICK_BITS),
                "trace": In(1),
                "fires": In(stream.Signature(layouts.FIRE)),
                "busy": Out(1),
                "flits": Out(layouts.flit_stream()),
                "access": In(layouts.MemoryAccess()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.table = table = memory.Memory(
            shape=layouts.FANOUT, depth=spec.FANOUT_ENTRIES, init=[]
        )
        write, read = table.write_port(), table.read_port()

        # The neuron in hand: its number, whether its trace flit is due, the entries not yet read.
        neuron = Signal(spec.NEURON_BITS)
        trace_due = Signal()
        entry, left = Signal(spec.FANOUT_BITS), Signal(spec.FANOUT_BITS)
        have = Signal()  # read.data is an entry to be sent
        done = Signal()
        fetch = Signal()
        sent = self.flits.valid & self.flits.ready
        m.d.comb += [
            self.busy.eq(trace_due | have | (left != 0)),
            done.eq(~trace_due & (left == 0) & (~have | sent)),
            fetch.eq((left != 0) & (~have | (sent & ~trace_due))),
            self.fires.ready.eq(done),
        ]

        with m.If(fetch):
            m.d.sync += [entry.eq(entry + 1), left.eq(left - 1), have.eq(1)]
        with m.Elif(sent & ~trace_due):
            m.d.sync += have.eq(0)
        with m.If(sent & trace_due):
            m.d.sync += trace_due.eq(0)
        with m.If(self.fires.valid & self.fires.ready):
            fire = self.fires.payload
            m.d.sync += [
                neuron.eq(fire.neuron),
                entry.eq(fire.fanout.start),
                left.eq(fire.fanout.count),
                trace_due.eq(self.trace),
            ]

        flit = self.flits.payload
        target = read.data
        m.d.comb += self.flits.valid.eq(trace_due | have)
        with m.If(trace_due | (have & target.host)):
            m.d.comb += [
                flit.kind.eq(spec.Kind.HOST),
                flit.region.eq(spec.Region.SPIKE),
                flit.offset.eq(neuron),
                flit.data.eq(self.tick),
                flit.x0.eq(self.x),
                flit.y0.eq(self.y),
            ]
        with m.Elif(have):
            axon = layouts.AXON(flit.data[: spec.AXON.width])
            m.d.comb += [
                flit.kind.eq(spec.Kind.SPIKE),
                axon.axon.eq(target.axon),
                axon.page.eq(target.page),
                *(getattr(flit, c).eq(getattr(target, c)) for c in spec.CORNERS),
            ]

        access = self.access
        m.d.comb += [
            read.en.eq(fetch | access.read),
            write.addr.eq(access.offset),
            write.data.eq(access.data),
            write.en.eq(access.write & (access.region == spec.Region.FANOUT)),
            access.reply.eq(read.data),
        ]
        with m.If(fetch):
            m.d.comb += read.addr.eq(entry)
        with m.Else():
            m.d.comb += read.addr.eq(access.offset)
        return m
