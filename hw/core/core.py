"""The neuron core: its blocks, and what connects them."""

from amaranth import Module, Mux, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out, connect

from hw import layouts, spec
from hw.core.axon_buffer import AxonBuffer
from hw.core.dendrites import Dendrites
from hw.core.emitter import Emitter
from hw.core.memory_map.counters import Counters
from hw.core.memory_map.reader import Reader
from hw.core.memory_map.registers import Registers
from hw.core.sequencer import Sweep
from hw.core.soma import Soma
from hw.core.synapse_array import WINDOW, SynapseArray
from hw.spec import Kind, Region

FIRE_QUEUE = 16  # neurons that fired and wait for the emitter
FIRE_ROOM = 8  # kept free for neurons already in the pipeline when a sweep is held


class Core(wiring.Component):
    """One core of the chip; `hw.spec` says what it computes.

    axon buffer -> synapse array -> dendrites -> soma -> fire queue -> emitter, in the order that
    the sweep gives; beside them the registers, the counters and the reader of the memory map.

    Interface attributes
    --------------------
    x, y : In
        Where the core is.
    go : In
        Start a tick; only while the whole chip is idle.
    idle : Out
        Nothing to do and nothing to send, but for a flit that may be at `inbound`.
    inbound, outbound : In, Out
        Flits from and to the router's local port.
    flits, stalls, clear_counters : In, In, Out
        The router's counters are read and cleared through the core.
    """

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._axons, self._dendrites = axons, dendrites
        super().__init__(
            {
                "x": In(spec.COORD_BITS),
                "y": In(spec.COORD_BITS),
                "go": In(1),
                "idle": Out(1),
                "inbound": In(layouts.flit_stream()),
                "outbound": Out(layouts.flit_stream()),
                "flits": In(spec.COUNTER_BITS),
                "stalls": In(spec.COUNTER_BITS),
                "clear_counters": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.registers = registers = Registers()
        m.submodules.sweep = sweep = Sweep(self._axons, self._dendrites)
        m.submodules.axons = axons = AxonBuffer(self._axons)
        m.submodules.synapses = synapses = SynapseArray(self._axons, self._dendrites)
        m.submodules.dendrites = dendrites = Dendrites()
        m.submodules.soma = soma = Soma(self._dendrites)
        m.submodules.fires = fires = fifo.SyncFIFO(width=layouts.FIRE.size, depth=FIRE_QUEUE)
        m.submodules.emitter = emitter = Emitter()
        m.submodules.reader = reader = Reader()
        m.submodules.counters = counters = Counters()
        config = registers.config
        for block in (sweep, dendrites, soma):
            connect(m, registers.config, block.config)
        for sender in (emitter, reader):
            m.d.comb += [sender.x.eq(self.x), sender.y.eq(self.y)]

        # Time.
        tick, now, active = Signal(spec.TICK_BITS), Signal(spec.TICK_BITS), Signal()
        with m.If(self.go):
            m.d.sync += [
                tick.eq(tick + 1),
                now.eq(tick),
                active.eq((config.first_tick <= tick) & (tick < config.last_tick)),
            ]
        with m.If(registers.restart):
            m.d.sync += [tick.eq(0), active.eq(0)]
        m.d.comb += [
            sweep.go.eq(self.go),
            sweep.restart.eq(registers.restart),
            sweep.active.eq(active),
            soma.restart.eq(registers.restart),
            soma.tick_end.eq(sweep.tick_end),
            emitter.tick.eq(now),
            emitter.trace.eq(config.trace),
        ]

        # Flits in.
        flit = self.inbound.payload
        axon = layouts.AXON(flit.data[: spec.AXON.width])
        arrived, spike, write = Signal(), Signal(), Signal()
        m.d.comb += [
            self.inbound.ready.eq(~reader.busy & ~sweep.clearing),
            arrived.eq(self.inbound.valid & self.inbound.ready),
            # A spike for a page that the configuration does not have meets no synapse.
            spike.eq(arrived & (flit.kind == Kind.SPIKE) & ((axon.page >> config.page_shift) == 0)),
            write.eq(arrived & (flit.kind == Kind.WRITE)),
            reader.start.eq(arrived & (flit.kind == Kind.READ)),
            reader.region.eq(flit.region),
            reader.offset.eq(flit.offset),
            reader.words.eq(flit.data),
        ]

        # Axons to rows, rows to currents, currents to spikes.
        loading, loaded_word = Signal(), Signal.like(sweep.load_word)
        m.d.sync += loading.eq(sweep.load)
        with m.If(sweep.load):
            m.d.sync += loaded_word.eq(sweep.load_word)
        m.d.comb += [
            axons.swap.eq(sweep.swap),
            axons.spike_valid.eq(spike),
            axons.spike.eq(axon),
            axons.load.eq(sweep.load),
            axons.load_page.eq(sweep.load_page),
            axons.load_word.eq(sweep.load_word),
            sweep.pages.eq(axons.pages),
            synapses.load.eq(loading),
            synapses.load_index.eq(loaded_word),
            synapses.load_word.eq(axons.word),
            synapses.line_valid.eq(sweep.line_valid),
            synapses.line.eq(sweep.line),
            dendrites.step_valid.eq(sweep.step_valid),
            dendrites.step.eq(sweep.step),
            *(dendrites.window[place].eq(synapses.window[place]) for place in range(WINDOW)),
            soma.fetch.eq(dendrites.fetch),
            soma.fetch_neuron.eq(dendrites.fetch_neuron),
            soma.current.eq(dendrites.current),
            soma.first_pass.eq(sweep.first_pass),
            soma.last_pass.eq(sweep.last_pass),
            sweep.pipeline_busy.eq(dendrites.busy | soma.busy),
            sweep.hold.eq(fires.level >= FIRE_QUEUE - FIRE_ROOM),
            fires.w_en.eq(soma.fired_valid),
            fires.w_data.eq(soma.fired),
            emitter.fires.valid.eq(fires.r_rdy),
            emitter.fires.payload.eq(fires.r_data),
            fires.r_en.eq(emitter.fires.ready),
        ]

        # Flits out. READs come only while the chip is idle: the two senders never meet.
        payloads = reader.flits.payload.as_value(), emitter.flits.payload.as_value()
        m.d.comb += [
            self.outbound.valid.eq(Mux(reader.busy, reader.flits.valid, emitter.flits.valid)),
            self.outbound.payload.eq(Mux(reader.busy, *payloads)),
            reader.flits.ready.eq(reader.busy & self.outbound.ready),
            emitter.flits.ready.eq(~reader.busy & self.outbound.ready),
        ]

        # The memory map: one word a cycle, written by a flit or fetched by the reader.
        region, offset = Signal(spec.REGION_BITS), Signal(spec.OFFSET_BITS)
        m.d.comb += [
            region.eq(Mux(reader.fetch, reader.fetch_region, flit.region)),
            offset.eq(Mux(reader.fetch, reader.fetch_offset, flit.offset)),
        ]
        answering = Signal(spec.REGION_BITS)
        with m.If(reader.fetch):
            m.d.sync += answering.eq(region)
        with m.Switch(answering):
            for block, *regions in (
                (synapses, Region.SYNAPSE),
                (soma, Region.NEURON, Region.MEMBRANE),
                (emitter, Region.FANOUT),
                (registers, Region.REGISTER),
                (counters, Region.COUNTER),
            ):
                m.d.comb += [
                    block.access.region.eq(region),
                    block.access.offset.eq(offset),
                    block.access.write.eq(write),
                    block.access.data.eq(flit.data),
                    block.access.read.eq(reader.fetch),
                ]
                with m.Case(*regions):
                    m.d.comb += reader.reply.eq(block.access.reply)

        # The router's counters are cleared a cycle later: no path leads through the core.
        m.d.sync += self.clear_counters.eq(registers.clear_counters)

        # At rest, and counted.
        working = Signal()
        m.d.comb += [
            working.eq(
                ~sweep.idle | axons.busy | synapses.busy | fires.r_rdy | emitter.busy | reader.busy
            ),
            self.idle.eq(~working & ~self.clear_counters),
            counters.clear.eq(registers.clear_counters | sweep.waking),
            counters.tick.eq(self.go),
            counters.busy.eq(working),
            counters.spike_in.eq(spike),
            counters.spike_out.eq(soma.fired_valid),
            counters.synaptic_ops.eq(dendrites.synaptic_ops),
            counters.flits.eq(self.flits),
            counters.stalls.eq(self.stalls),
        ]
        return m
