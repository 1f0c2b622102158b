"""From popcounts to input currents: what the rows of one neuron add up to."""

from amaranth import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.registers import Configuration
from hw.sweep import STEP
from hw.synapse import ROW_LATENCY


class Dendrites(wiring.Component):
    """Weights each row's count by its plane and sums over a neuron's planes of one page.

    Interface attributes
    --------------------
    config : In
        The core's registers (the plane weights).
    step_valid, step : In
        The row that the synapse array is given in this cycle.
    count : In
        Its popcount, ROW_LATENCY cycles later.
    counted : Out
        `count` is that of a step.
    fetch, fetch_neuron : Out
        `current` will be this neuron's in the next cycle.
    current : Out
        Input current of one page.
    busy : Out
        Steps are on their way.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "config": In(Configuration()),
                "step_valid": In(1),
                "step": In(STEP),
                "count": In(spec.COUNT_BITS),
                "counted": Out(1),
                "fetch": Out(1),
                "fetch_neuron": Out(spec.NEURON_BITS),
                "current": Out(signed(spec.MEMBRANE_BITS)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Each step travels beside its row through the synapse array.
        valid, step = self.step_valid, self.step
        valids = []
        for stage in range(1, ROW_LATENCY + 1):
            next_valid = Signal(name=f"valid_{stage}")
            next_step = Signal(STEP, name=f"step_{stage}", reset_less=True)
            m.d.sync += next_valid.eq(valid)
            with m.If(valid):
                m.d.sync += next_step.eq(step)
            valid, step = next_valid, next_step
            valids.append(valid)

        weight = Signal(signed(spec.PLANE_WEIGHT_BITS))
        with m.If(valid):
            m.d.comb += weight.eq(Array(self.config.plane_weights)[step.plane])
            so_far = Mux(step.first, 0, self.current)
            m.d.sync += self.current.eq(so_far + weight * self.count)
        m.d.comb += [
            self.counted.eq(valid),
            self.fetch.eq(valid & step.last),
            self.fetch_neuron.eq(step.neuron),
            self.busy.eq(Cat(valids).any()),
        ]
        return m
