"""Neuron arithmetic, and the soma that applies it to one neuron a cycle.

The functions are the rules of `hw.spec`, one each; the soma is their pipeline.
"""

from amaranth import Module, Mux, Signal, Value, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.core.memory_map.registers import Configuration

# v - (v >> k) + bias + I, each of MEMBRANE_BITS bits, needs two more. The membrane SRAM is that
# wide: between the pages of a tick it holds the exact sum so far, saturated only with the last.
SUM_BITS = spec.MEMBRANE_BITS + 2


def saturate(value: Value) -> Value:
    """`value` clipped to what a membrane holds."""
    most, least = spec.MEMBRANE_MAX, spec.MEMBRANE_MIN
    return Mux(value > most, most, Mux(value < least, least, value))


def leak(v: Value, shift: Value, enable: Value) -> Value:
    """v - (v >> shift), arithmetic; v without leak."""
    return Mux(enable, v - (v >> shift), v)


def fires(v: Value, threshold: Value, noise: Value) -> Value:
    """v >= threshold + noise, exact."""
    return v >= threshold + noise


def reset(v: Value, threshold: Value, mode: Value) -> Value:
    """The membrane of a neuron that fired."""
    return Mux(
        mode == spec.ResetMode.ZERO,
        0,
        Mux(mode == spec.ResetMode.SUBTRACT, saturate(v - threshold), v),
    )


def lfsr_next(state: Value) -> Value:
    """One step of the Galois LFSR."""
    return (state >> 1) ^ Mux(state[0], spec.LFSR_TAPS, 0)


class Soma(wiring.Component):
    """Membranes and parameters of a core's neurons, and what a tick does to them.

    Interface attributes
    --------------------
    config : In
        The core's registers.
    restart : In
        Membranes become 0, the LFSR becomes SEED.
    fetch, fetch_neuron : In
        The neuron whose input current comes with the next cycle.
    first_pass, last_pass : In
        Of this tick's pages: leak and bias belong to the first, firing to the last. Both for all
        neurons of a sweep.
    tick_end : In
        The tick is over.
    current : In
        Input current of the neuron fetched in the cycle before.
    busy : Out
        Neurons are in the pipeline.
    fired_valid, fired : Out
        A neuron that fired; to be taken at once.
    access : In
        Threshold, bias, fan-out range and membrane words; only while nothing is fetched.
    """

    def __init__(self, neurons: int = spec.NEURONS) -> None:
        self._neurons = neurons
        super().__init__(
            {
                "config": In(Configuration()),
                "restart": In(1),
                "fetch": In(1),
                "fetch_neuron": In(range(neurons)),
                "first_pass": In(1),
                "last_pass": In(1),
                "tick_end": In(1),
                "current": In(signed(spec.MEMBRANE_BITS)),
                "busy": Out(1),
                "fired_valid": Out(1),
                "fired": Out(layouts.FIRE),
                "access": In(layouts.MemoryAccess()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        membrane_shape = signed(spec.MEMBRANE_BITS)

        def sram(name: str, shape: object) -> tuple[memory.ReadPort, memory.WritePort]:
            store = memory.Memory(shape=shape, depth=self._neurons, init=[])
            m.submodules[name] = store
            return store.read_port(), store.write_port()

        membrane, membrane_write = sram("membranes", signed(SUM_BITS))
        threshold, threshold_write = sram("thresholds", membrane_shape)
        bias, bias_write = sram("biases", membrane_shape)
        fanout, fanout_write = sram("fanouts", layouts.FANOUT_RANGE)

        # Stages: fetch (reads membrane and bias), sum (reads threshold and fan-out), fire.
        summing, sum_neuron = Signal(), Signal(range(self._neurons), reset_less=True)
        firing, fire_neuron = Signal(), Signal(range(self._neurons), reset_less=True)
        m.d.sync += [summing.eq(self.fetch), firing.eq(summing)]
        m.d.comb += self.busy.eq(self.fetch | summing | firing)
        with m.If(self.fetch):
            m.d.sync += sum_neuron.eq(self.fetch_neuron)

        # After a restart a membrane reads as 0 until a tick has written it. A tick writes those of
        # neurons 0 .. NEURONS-1, so the ones written since are always the lowest: how many, is all
        # that must be known, however NEURONS changes between the ticks.
        written = Signal.like(self.config.neurons)
        with m.If(self.tick_end & (self.config.neurons > written)):
            m.d.sync += written.eq(self.config.neurons)
        with m.If(self.restart):
            m.d.sync += written.eq(0)

        total = Signal(signed(SUM_BITS), reset_less=True)
        with m.If(summing):
            m.d.sync += fire_neuron.eq(sum_neuron)
            with m.If(self.first_pass):
                v = Signal(membrane_shape)
                with m.If(sum_neuron < written):
                    m.d.comb += v.eq(membrane.data)
                leaked = leak(v, self.config.leak_shift, self.config.leak_enable)
                m.d.sync += total.eq(leaked + bias.data + self.current)
            with m.Else():
                m.d.sync += total.eq(membrane.data + self.current)

        lfsr = Signal(spec.LFSR_BITS, init=1)
        v = Signal(membrane_shape)
        settled = Signal(membrane_shape)
        hit = Signal()
        with m.If(firing):
            m.d.comb += v.eq(saturate(total))
            m.d.comb += hit.eq(fires(v, threshold.data, lfsr & self.config.noise_mask))
            with m.If(hit):
                m.d.comb += settled.eq(reset(v, threshold.data, self.config.reset_mode))
            with m.Else():
                m.d.comb += settled.eq(v)
            with m.If(self.last_pass):
                m.d.sync += lfsr.eq(lfsr_next(lfsr))
        with m.If(self.restart):
            m.d.sync += lfsr.eq(self.config.seed)

        floored = Mux(settled < self.config.floor, self.config.floor, settled)
        m.d.comb += [
            membrane_write.addr.eq(fire_neuron),
            membrane_write.data.eq(Mux(self.last_pass, floored, total)),
            membrane_write.en.eq(firing),
            self.fired_valid.eq(firing & self.last_pass & hit),
            self.fired.neuron.eq(fire_neuron),
            self.fired.fanout.eq(fanout.data),
        ]

        # Configuration and read-back share the read ports with the (then empty) pipeline.
        access = self.access
        neuron, word = access.offset[2:], access.offset[:2]
        parameter = access.region == spec.Region.NEURON
        asked = Signal(spec.OFFSET_BITS)
        asked_membrane = Signal()
        with m.If(access.read):
            m.d.sync += [
                asked.eq(access.offset),
                asked_membrane.eq(access.region == spec.Region.MEMBRANE),
            ]
        m.d.comb += [
            membrane.en.eq(self.fetch | access.read),
            membrane.addr.eq(Mux(self.fetch, self.fetch_neuron, access.offset)),
            bias.en.eq(self.fetch | access.read),
            bias.addr.eq(Mux(self.fetch, self.fetch_neuron, neuron)),
            threshold.en.eq(summing | access.read),
            threshold.addr.eq(Mux(summing, sum_neuron, neuron)),
            fanout.en.eq(summing | access.read),
            fanout.addr.eq(Mux(summing, sum_neuron, neuron)),
        ]
        for code, port in (
            (spec.NeuronWord.THRESHOLD, threshold_write),
            (spec.NeuronWord.BIAS, bias_write),
            (spec.NeuronWord.FANOUT, fanout_write),
        ):
            m.d.comb += [
                port.addr.eq(neuron),
                port.data.eq(access.data),
                port.en.eq(access.write & parameter & (word == code)),
            ]
        with m.If(asked_membrane):
            # Beyond NEURONS there is no neuron, whatever an earlier configuration left there.
            with m.If((asked < written) & (asked < self.config.neurons)):
                m.d.comb += access.reply.eq(membrane.data)
        with m.Else():
            with m.Switch(asked[:2]):
                with m.Case(spec.NeuronWord.THRESHOLD):
                    m.d.comb += access.reply.eq(threshold.data)
                with m.Case(spec.NeuronWord.BIAS):
                    m.d.comb += access.reply.eq(bias.data)
                with m.Case(spec.NeuronWord.FANOUT):
                    m.d.comb += access.reply.eq(fanout.data)
        return m
