"""From popcounts to input currents: what the rows of one neuron add up to."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.core.memory_map.registers import Configuration
from hw.core.sequencer import STEP
from hw.core.synapse_array import LINE_LATENCY, WINDOW


class Dendrites(wiring.Component):
    """Weights the counts of a neuron's rows of one page by their planes, and adds them up.

    Interface attributes
    --------------------
    config : In
        The core's registers (planes and their weights).
    step_valid, step : In
        The neuron whose last row's line the synapse array has been given, now or before.
    window : In
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
                "step_valid": In(1),
                "step": In(STEP),
                "window": In(spec.COUNT_BITS).array(WINDOW),
                "fetch": Out(1),
                "fetch_neuron": Out(spec.NEURON_BITS),
                "current": Out(signed(spec.MEMBRANE_BITS)),
                "synaptic_ops": Out(spec.STEP_OPS_BITS),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Each step travels beside its line through the synapse array.
        valid, step = self.step_valid, self.step
        valids = []
        for stage in range(1, LINE_LATENCY + 1):
            next_valid = Signal(name=f"valid_{stage}")
            next_step = Signal(STEP, name=f"step_{stage}", reset_less=True)
            m.d.sync += next_valid.eq(valid)
            with m.If(valid):
                m.d.sync += next_step.eq(step)
            valid, step = next_valid, next_step
            valids.append(valid)

        counts = [
            Signal(spec.COUNT_BITS, name=f"count_{plane}") for plane in range(spec.MAX_PLANES)
        ]
        with m.If(valid & step.reads), m.Switch(step.place):
            for place in range(WINDOW):
                with m.Case(place):
                    for plane in range(min(spec.MAX_PLANES, WINDOW - place)):
                        found = Mux(plane < self.config.planes, self.window[place + plane], 0)
                        m.d.comb += counts[plane].eq(found)
        with m.If(valid):
            weights = self.config.plane_weights
            terms = (weights[plane] * count for plane, count in enumerate(counts))
            m.d.sync += self.current.eq(sum(terms))
        m.d.comb += [
            self.synaptic_ops.eq(sum(counts)),
            self.fetch.eq(valid),
            self.fetch_neuron.eq(step.neuron),
            self.busy.eq(Cat(valids).any()),
        ]
        return m
