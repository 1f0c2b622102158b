"""The counters of a core, read through the memory map."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw import layouts, spec
from hw.spec import Counter


class Counters(wiring.Component):
    """Counts a core's events; the router's counters are shown beside them.

    Interface attributes
    --------------------
    clear : In
        Back to 0.
    tick, busy, spike_out : In
        One of this event happened.
    spikes_in, synaptic_ops : In
        So many of this one.
    flits, stalls : In
        The router's counters.
    access : In
        Words of `spec.Region.COUNTER`.

    `totals` are the counts by counter, the router's among them.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "clear": In(1),
                "tick": In(1),
                "busy": In(1),
                "spikes_in": In(range(spec.DATA_BITS + 1)),
                "spike_out": In(1),
                "synaptic_ops": In(spec.STEP_OPS_BITS),
                "flits": In(spec.COUNTER_BITS),
                "stalls": In(spec.COUNTER_BITS),
                "access": In(layouts.MemoryAccess()),
            }
        )
        self.totals = {
            counter: Signal(spec.COUNTER_BITS, name=counter.name.lower()) for counter in Counter
        } | {Counter.FLITS: self.flits, Counter.STALLS: self.stalls}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for counter, events in (
            (Counter.TICKS, self.tick),
            (Counter.BUSY_CYCLES, self.busy),
            (Counter.SPIKES_IN, self.spikes_in),
            (Counter.SPIKES_OUT, self.spike_out),
            (Counter.SYNAPTIC_OPS, self.synaptic_ops),
        ):
            total = self.totals[counter]
            with m.If(self.clear):
                m.d.sync += total.eq(0)
            with m.Elif(events != 0):
                m.d.sync += total.eq(total + events)

        access = self.access
        with m.If(access.read):
            with m.Switch(access.offset):
                for counter, total in self.totals.items():
                    for half in range(spec.COUNTER_BITS // spec.DATA_BITS):
                        with m.Case(2 * counter + half):
                            word = total.word_select(half, spec.DATA_BITS)
                            m.d.sync += access.reply.eq(word)
                with m.Default():
                    m.d.sync += access.reply.eq(0)
        return m
