"""From popcounts to input currents: what the rows of one neuron add up to."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.core.memory_map.registers import Configuration
from hw.core.sequencer import ROW_REQUEST
from hw.core.synapse_array import LINE_LATENCY, RECENT_ROWS


class Dendrites(wiring.Component):
    """Weights the counts of a neuron's rows of one page by their planes, and adds them up.

    Interface attributes
    --------------------
    config : In
        The core's registers (planes and their weights).
    request_valid, request : In
        The neuron whose last row's line the synapse array has been given, now or before.
    recent_counts : In
        The counts of that line and of the one before, LINE_LATENCY cycles later.
    fetch, fetch_neuron : Out
        `current` will be this neuron's in the next cycle.
    current : Out
        Input current of one page.
    synaptic_ops : Out
        How many synapses met a spike in this cycle.
    busy : Out
        Steps are on their way.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "config": In(Configuration()),
                "request_valid": In(1),
                "request": In(ROW_REQUEST),
                "recent_counts": In(spec.COUNT_BITS).array(RECENT_ROWS),
                "fetch": Out(1),
                "fetch_neuron": Out(spec.NEURON_BITS),
                "current": Out(signed(spec.MEMBRANE_BITS)),
                "synaptic_ops": Out(spec.STEP_OPS_BITS),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Each request travels beside its line through the synapse array.
        valid, request = self.request_valid, self.request
        valids = []
        for stage in range(1, LINE_LATENCY + 1):
            next_valid = Signal(name=f"valid_{stage}")
            next_request = Signal(ROW_REQUEST, name=f"request_{stage}", reset_less=True)
            m.d.sync += next_valid.eq(valid)
            with m.If(valid):
                m.d.sync += next_request.eq(request)
            valid, request = next_valid, next_request
            valids.append(valid)

        counts = [
            Signal(spec.COUNT_BITS, name=f"count_{plane}") for plane in range(spec.MAX_PLANES)
        ]
        with m.If(valid & request.reads), m.Switch(request.position):
            for position in range(RECENT_ROWS):
                with m.Case(position):
                    for plane in range(min(spec.MAX_PLANES, RECENT_ROWS - position)):
                        found = Mux(
                            plane < self.config.planes, self.recent_counts[position + plane], 0
                        )
                        m.d.comb += counts[plane].eq(found)
        with m.If(valid):
            weights = self.config.plane_weights
            terms = (weights[plane] * count for plane, count in enumerate(counts))
            m.d.sync += self.current.eq(sum(terms))
        m.d.comb += [
            self.synaptic_ops.eq(sum(counts)),
            self.fetch.eq(valid),
            self.fetch_neuron.eq(request.neuron),
            self.busy.eq(Cat(valids).any()),
        ]
        return m
