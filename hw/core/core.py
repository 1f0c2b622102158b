"""The neuron core: its blocks, and what connects them."""

from amaranth import Module, Mux, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out, connect

from hw import layouts, spec
from hw.core.axon_buffer import AxonBuffer
from hw.core.dendrites import Dendrites
from hw.core.emitter import Emitter
from hw.core.memory_map.counters import Counters
from hw.core.memory_map.decoder import decode
from hw.core.memory_map.reader import Reader
from hw.core.memory_map.registers import Registers
from hw.core.sequencer import Sequencer
from hw.core.soma import Soma
from hw.core.synapse_array import RECENT_ROWS, SynapseArray
from hw.spec import Kind, Region

FIRE_QUEUE = 16  # neurons that fired and wait for the emitter
FIRE_ROOM = 8  # kept free for neurons already in the pipeline when the sequencer stalls


class CoreSignature(wiring.Signature):
    """The core's ports.

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

    def __init__(self) -> None:
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


class Core(wiring.Component):
    """One core of the chip; `hw.spec` says what it computes.

    axon buffer -> synapse array -> dendrites -> soma -> fire queue -> emitter, in the order that
    the sequencer gives; beside them the registers, the counters and the reader of the memory map.
    """

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._registers = Registers()
        self._sequencer = Sequencer(axons, dendrites)
        self._axons = AxonBuffer(axons)
        self._synapses = SynapseArray(axons, dendrites)
        self._dendrites = Dendrites()
        self._soma = Soma(dendrites)
        self._fires = fifo.SyncFIFO(width=layouts.FIRE.size, depth=FIRE_QUEUE)
        self._emitter = Emitter()
        self._reader = Reader()
        self._counters = Counters()
        super().__init__(CoreSignature())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._add_blocks(m)
        self._keep_time(m)
        write = self._take_flits(m)
        self._connect_pipeline(m)
        self._send_flits(m)
        decode(
            m,
            self.inbound.payload,
            write,
            self._reader,
            [
                (self._synapses, [Region.SYNAPSE]),
                (self._soma, [Region.NEURON, Region.MEMBRANE]),
                (self._emitter, [Region.FANOUT]),
                (self._registers, [Region.REGISTER]),
                (self._counters, [Region.COUNTER]),
            ],
        )
        self._rest_and_count(m)
        return m

    def _add_blocks(self, m: Module) -> None:
        """All blocks, and what they know without asking: the registers and the core's place."""
        m.submodules.registers = self._registers
        m.submodules.sequencer = self._sequencer
        m.submodules.axons = self._axons
        m.submodules.synapses = self._synapses
        m.submodules.dendrites = self._dendrites
        m.submodules.soma = self._soma
        m.submodules.fires = self._fires
        m.submodules.emitter = self._emitter
        m.submodules.reader = self._reader
        m.submodules.counters = self._counters
        for block in (self._sequencer, self._dendrites, self._soma):
            connect(m, self._registers.config, block.config)
        for sender in (self._emitter, self._reader):
            m.d.comb += [sender.x.eq(self.x), sender.y.eq(self.y)]

    def _keep_time(self, m: Module) -> None:
        """Count ticks; the sequencer, soma and emitter learn of ticks and restarts."""
        registers, sequencer = self._registers, self._sequencer
        soma, emitter = self._soma, self._emitter
        config = registers.config
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
            sequencer.go.eq(self.go),
            sequencer.restart.eq(registers.restart),
            sequencer.active.eq(active),
            soma.restart.eq(registers.restart),
            soma.tick_end.eq(sequencer.tick_end),
            emitter.tick.eq(now),
            emitter.trace.eq(config.trace),
        ]

    def _take_flits(self, m: Module) -> Signal:
        """Take the flits that arrive, spikes to the axon buffer, READs to the reader.

        High while one is a WRITE.
        """
        reader, page_shift = self._reader, self._registers.config.page_shift
        flit, axons = self.inbound.payload, self._axons
        axon = layouts.AXON(flit.data[: spec.AXON.width])
        arrived, write = Signal(), Signal()
        with m.If(flit.region == spec.Region.AXONS):
            m.d.comb += [
                axons.spikes.axons.eq(flit.data),
                axons.spikes.where.eq(flit.offset[: spec.AXON_GROUP.width]),
            ]
        with m.Else():
            m.d.comb += [
                axons.spikes.axons.eq(1 << axon.axon[: spec.GROUP_BITS]),
                axons.spikes.where.group.eq(axon.axon[spec.GROUP_BITS :]),
                axons.spikes.where.page.eq(axon.page),
            ]
        # A spike for a page that the configuration does not have meets no synapse.
        there = (axons.spikes.where.page >> page_shift) == 0
        m.d.comb += [
            self.inbound.ready.eq(~reader.busy & ~self._sequencer.clearing),
            arrived.eq(self.inbound.valid & self.inbound.ready),
            axons.spikes_valid.eq(arrived & (flit.kind == Kind.SPIKE) & there),
            write.eq(arrived & (flit.kind == Kind.WRITE)),
            reader.start.eq(arrived & (flit.kind == Kind.READ)),
            reader.region.eq(flit.region),
            reader.offset.eq(flit.offset),
            reader.words.eq(flit.data),
        ]
        return write

    def _connect_pipeline(self, m: Module) -> None:
        """Axons to rows, rows to currents, currents to spikes."""
        sequencer, axons, synapses = self._sequencer, self._axons, self._synapses
        dendrites, soma, fires, emitter = self._dendrites, self._soma, self._fires, self._emitter
        loading, loaded_word = Signal(), Signal.like(sequencer.load_word)
        m.d.sync += loading.eq(sequencer.load)
        with m.If(sequencer.load):
            m.d.sync += loaded_word.eq(sequencer.load_word)
        m.d.comb += [
            axons.swap.eq(sequencer.swap),
            axons.load.eq(sequencer.load),
            axons.load_page.eq(sequencer.load_page),
            axons.load_word.eq(sequencer.load_word),
            sequencer.pages.eq(axons.pages),
            synapses.load.eq(loading),
            synapses.load_index.eq(loaded_word),
            synapses.load_word.eq(axons.word),
            synapses.line_valid.eq(sequencer.line_valid),
            synapses.line.eq(sequencer.line),
            dendrites.request_valid.eq(sequencer.request_valid),
            dendrites.request.eq(sequencer.request),
            *(dendrites.recent_counts[i].eq(synapses.recent_counts[i]) for i in range(RECENT_ROWS)),
            soma.fetch.eq(dendrites.fetch),
            soma.fetch_neuron.eq(dendrites.fetch_neuron),
            soma.current.eq(dendrites.current),
            soma.first_pass.eq(sequencer.first_pass),
            soma.last_pass.eq(sequencer.last_pass),
            sequencer.pipeline_busy.eq(dendrites.busy | soma.busy),
            sequencer.stall.eq(fires.level >= FIRE_QUEUE - FIRE_ROOM),
            fires.w_en.eq(soma.fired_valid),
            fires.w_data.eq(soma.fired),
            emitter.fires.valid.eq(fires.r_rdy),
            emitter.fires.payload.eq(fires.r_data),
            fires.r_en.eq(emitter.fires.ready),
        ]

    def _send_flits(self, m: Module) -> None:
        """Join the two senders; READs come only while the chip is idle, so they never meet."""
        reader, emitter = self._reader, self._emitter
        payloads = reader.flits.payload.as_value(), emitter.flits.payload.as_value()
        m.d.comb += [
            self.outbound.valid.eq(Mux(reader.busy, reader.flits.valid, emitter.flits.valid)),
            self.outbound.payload.eq(Mux(reader.busy, *payloads)),
            reader.flits.ready.eq(reader.busy & self.outbound.ready),
            emitter.flits.ready.eq(~reader.busy & self.outbound.ready),
        ]

    def _rest_and_count(self, m: Module) -> None:
        """Say whether the core is at rest, and count what it does."""
        registers, sequencer, counters = self._registers, self._sequencer, self._counters
        # The router's counters are cleared a cycle later: no path leads through the core.
        m.d.sync += self.clear_counters.eq(registers.clear_counters)
        working = Signal()
        at_work = ~sequencer.idle | self._axons.busy | self._synapses.busy | self._fires.r_rdy
        m.d.comb += [
            working.eq(at_work | self._emitter.busy | self._reader.busy),
            self.idle.eq(~working & ~self.clear_counters),
            counters.clear.eq(registers.clear_counters | sequencer.waking),
            counters.tick.eq(self.go),
            counters.busy.eq(working),
            counters.spikes_in.eq(self._axons.taken),
            counters.spike_out.eq(self._soma.fired_valid),
            counters.synaptic_ops.eq(self._dendrites.synaptic_ops),
            counters.flits.eq(self.flits),
            counters.stalls.eq(self.stalls),
        ]
