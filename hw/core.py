"""The neuron core: axon buffer, synapse array, soma and emitter, and the sweep that drives them."""

from amaranth import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out, connect

from hw import layouts, spec
from hw.axons import AxonBuffer
from hw.emitter import Emitter
from hw.neuron import Soma
from hw.reader import Reader
from hw.registers import Registers
from hw.synapse import ROW_LATENCY, SynapseArray

FIRE_QUEUE = 16  # neurons that fired and wait for the emitter
FIRE_ROOM = 8  # kept free for neurons already in the pipeline when a sweep is held


class Core(wiring.Component):
    """One core of the chip; `hw.spec` says what it computes.

    A tick goes page by page: the page's axons are loaded, then a sweep reads P rows of each neuron,
    one row a cycle, while the soma sums. Pages without spikes are skipped; a tick without spikes is
    one sweep without rows.

    Interface attributes
    --------------------
    x, y : In
        Where the core is.
    go : In
        Start a tick; only while the whole chip is idle.
    idle : Out
        Nothing to do and nothing to send.
    inbound, outbound : In, Out
        Flits from and to the router's local port.
    router_counts, clear_counters : In, Out
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
        m.submodules.axons = axons = AxonBuffer(self._axons)
        m.submodules.synapses = synapses = SynapseArray(self._axons, self._dendrites)
        m.submodules.soma = soma = Soma(self._dendrites)
        m.submodules.emitter = emitter = Emitter()
        m.submodules.reader = reader = Reader()
        m.submodules.fires = fires = fifo.SyncFIFO(
            width=layouts.FIRE.size, depth=FIRE_QUEUE
        )
        config = registers.config
        m.d.comb += [
            self.clear_counters.eq(registers.clear_counters),
            *(block.x.eq(self.x) for block in (emitter, reader)),
            *(block.y.eq(self.y) for block in (emitter, reader)),
            emitter.trace.eq(config.trace),
        ]
        connect(m, registers.config, soma.config)

        # ------------------------------------------------------------ time
        tick, now = Signal(spec.TICK_BITS), Signal(spec.TICK_BITS)
        active = Signal()  # this tick is inside the window
        begin = Signal()  # a tick, or the flush of a restart
        m.d.comb += [
            begin.eq(self.go | registers.restart),
            axons.swap.eq(begin),
            soma.restart.eq(registers.restart),
            emitter.tick.eq(now),
        ]
        with m.If(self.go):
            m.d.sync += [
                tick.eq(tick + 1),
                now.eq(tick),
                active.eq((config.first_tick <= tick) & (tick < config.last_tick)),
            ]
        with m.If(registers.restart):
            m.d.sync += [tick.eq(0), active.eq(0)]

        # ------------------------------------------------------------ the sweep
        remaining = Signal(spec.MAX_PAGES)  # pages with spikes, not yet loaded
        page = Signal(spec.PAGE_BITS)
        first_pass, last_pass = Signal(), Signal()
        silent = Signal()  # this sweep has no rows
        load_word = Signal(range(max(self._axons // spec.AXON_WORD_BITS, 2)))
        neuron = Signal(range(spec.NEURONS + 1))
        plane = Signal(spec.PLANE_BITS)
        row = Signal(range(self._dendrites))
        pages_planes = Signal(spec.DENDRITE_BITS)  # rows of one neuron
        m.d.comb += pages_planes.eq(config.planes << config.page_shift)

        issue, last_plane = Signal(), Signal()
        hold = fires.level >= FIRE_QUEUE - FIRE_ROOM
        pipeline_busy = Signal()

        lowest = Signal(spec.PAGE_BITS)
        for index in reversed(range(spec.MAX_PAGES)):
            with m.If(remaining[index]):
                m.d.comb += lowest.eq(index)
        m.d.comb += last_plane.eq(silent | (plane == config.planes - 1))

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(begin):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [remaining.eq(axons.pages), first_pass.eq(1)]
                m.next = "NEXT PAGE"
            with m.State("NEXT PAGE"):
                m.d.sync += [
                    page.eq(lowest),
                    last_pass.eq((remaining & (remaining - 1)) == 0),
                    remaining.eq(remaining & (remaining - 1)),
                    silent.eq(remaining == 0),
                    load_word.eq(0),
                    neuron.eq(0),
                    plane.eq(0),
                    row.eq(lowest * config.planes),
                ]
                with m.If(remaining != 0):
                    m.next = "LOAD"
                with m.Elif(active & first_pass & (config.neurons != 0)):
                    m.next = "SWEEP"
                with m.Else():
                    m.next = "END"
            with m.State("LOAD"):
                m.d.comb += axons.load.eq(1)
                m.d.sync += load_word.eq(load_word + 1)
                with m.If(load_word == self._axons // spec.AXON_WORD_BITS - 1):
                    with m.If(active & (config.neurons != 0)):
                        m.next = "SWEEP"
                    with m.Else():
                        m.next = "NEXT PAGE"
            with m.State("SWEEP"):
                m.d.comb += issue.eq(~hold)
                with m.If(issue):
                    with m.If(last_plane):
                        m.d.sync += [
                            plane.eq(0),
                            neuron.eq(neuron + 1),
                            row.eq(row + pages_planes - config.planes + 1),
                        ]
                        with m.If(neuron == config.neurons - 1):
                            m.next = "DRAIN"
                    with m.Else():
                        m.d.sync += [plane.eq(plane + 1), row.eq(row + 1)]
            with m.State("DRAIN"):
                with m.If(~pipeline_busy):
                    m.d.sync += first_pass.eq(0)
                    m.next = "NEXT PAGE"
            with m.State("END"):
                m.d.comb += soma.tick_end.eq(active)
                m.next = "IDLE"

        # ------------------------------------------------------------ axons to page register
        loading = Signal()
        loaded_word = Signal.like(load_word)
        m.d.sync += loading.eq(axons.load)
        with m.If(axons.load):
            m.d.sync += loaded_word.eq(load_word)
        m.d.comb += [
            axons.load_page.eq(page),
            axons.load_word.eq(load_word),
            synapses.load.eq(loading),
            synapses.load_index.eq(loaded_word),
            synapses.load_word.eq(axons.word),
        ]

        # ------------------------------------------------------------ rows to currents
        # What was issued travels beside its row through the synapse array.
        stages = []
        previous = (issue, plane, last_plane, neuron[: spec.NEURON_BITS])
        for depth in range(ROW_LATENCY):
            stage = tuple(
                Signal(len(value), name=f"{name}_{depth + 1}")
                for name, value in zip(
                    ("valid", "plane", "last_plane", "neuron"), previous, strict=True
                )
            )
            m.d.sync += stage[0].eq(previous[0])
            with m.If(previous[0]):
                m.d.sync += [new.eq(old) for new, old in zip(stage[1:], previous[1:], strict=True)]
            stages.append(stage)
            previous = stage
        counted, count_plane, count_last, count_neuron = previous

        current = Signal(signed(spec.MEMBRANE_BITS))
        weight = Signal(signed(spec.PLANE_WEIGHT_BITS))
        with m.If(counted):
            m.d.comb += weight.eq(Array(config.plane_weights)[count_plane])
            so_far = Mux(count_plane == 0, 0, current)
            m.d.sync += current.eq(so_far + weight * synapses.count)
        m.d.comb += [
            soma.fetch.eq(counted & count_last),
            soma.fetch_neuron.eq(count_neuron),
            soma.first_pass.eq(first_pass),
            soma.last_pass.eq(last_pass),
            soma.current.eq(current),
            pipeline_busy.eq(Cat(stage[0] for stage in stages).any() | soma.busy),
            fires.w_en.eq(soma.fired_valid),
            fires.w_data.eq(soma.fired),
            emitter.fires.valid.eq(fires.r_rdy),
            emitter.fires.payload.eq(fires.r_data),
            fires.r_en.eq(emitter.fires.ready),
        ]

        # ------------------------------------------------------------ flits in
        flit = self.inbound.payload
        arrived = self.inbound.valid & self.inbound.ready
        axon = layouts.AXON(flit.data[: spec.AXON.width])
        spike, write = Signal(), Signal()
        m.d.comb += [
            self.inbound.ready.eq(~reader.busy),
            # A spike for a page that the configuration does not have meets no synapse.
            spike.eq(
                arrived
                & (flit.kind == spec.Kind.SPIKE)
                & ((axon.page >> config.page_shift) == 0)
            ),
            write.eq(arrived & (flit.kind == spec.Kind.WRITE)),
            axons.spike_valid.eq(spike),
            axons.spike.eq(axon),
            reader.start.eq(arrived & (flit.kind == spec.Kind.READ)),
            reader.region.eq(flit.region),
            reader.offset.eq(flit.offset),
            reader.words.eq(flit.data),
        ]

        # ------------------------------------------------------------ memory map
        region = Mux(reader.fetch, reader.fetch_region, flit.region)
        offset = Mux(reader.fetch, reader.fetch_offset, flit.offset)
        for block in (registers, soma, emitter):
            m.d.comb += [
                block.access.region.eq(region),
                block.access.offset.eq(offset),
                block.access.write.eq(write),
                block.access.data.eq(flit.data),
                block.access.read.eq(reader.fetch),
            ]
        in_synapses = region == spec.Region.SYNAPSE
        word_bits = (spec.ROW_WORDS - 1).bit_length()
        m.d.comb += [
            synapses.row_valid.eq(issue & ~silent),
            synapses.row.eq(Mux(issue, row, offset >> word_bits)),
            synapses.word.eq(offset[:word_bits]),
            synapses.data.eq(flit.data),
            synapses.write.eq(write & in_synapses),
            synapses.read.eq(reader.fetch & in_synapses),
        ]

        # ------------------------------------------------------------ counters
        def counter(name: str, increment: object, when: object) -> Signal:
            value = Signal(spec.COUNTER_BITS, name=name)
            with m.If(registers.clear_counters):
                m.d.sync += value.eq(0)
            with m.Elif(when):
                m.d.sync += value.eq(value + increment)
            return value

        working = Signal()
        m.d.comb += working.eq(
            ~fsm.ongoing("IDLE") | fires.r_rdy | emitter.busy | reader.busy | axons.busy
        )
        m.d.comb += self.idle.eq(~working & ~self.inbound.valid)
        counters = {
            spec.Counter.TICKS: counter("ticks", 1, self.go),
            spec.Counter.BUSY_CYCLES: counter("busy_cycles", 1, working),
            spec.Counter.SPIKES_IN: counter("spikes_in", 1, spike),
            spec.Counter.SPIKES_OUT: counter("spikes_out", 1, soma.fired_valid),
            spec.Counter.SYNAPTIC_OPS: counter("synaptic_ops", synapses.count, counted),
            spec.Counter.FLITS: self.flits,
            spec.Counter.STALLS: self.stalls,
        }
        counter_word = Signal(spec.DATA_BITS)
        asked_region = Signal(spec.REGION_BITS)
        with m.If(reader.fetch):
            m.d.sync += [asked_region.eq(region), counter_word.eq(0)]
            for index, value in counters.items():
                with m.If(offset[1:] == index):
                    m.d.sync += counter_word.eq(value.word_select(offset[0], spec.DATA_BITS))
        with m.Switch(asked_region):
            with m.Case(spec.Region.SYNAPSE):
                m.d.comb += reader.reply.eq(synapses.reply)
            with m.Case(spec.Region.NEURON, spec.Region.MEMBRANE):
                m.d.comb += reader.reply.eq(soma.access.reply)
            with m.Case(spec.Region.FANOUT):
                m.d.comb += reader.reply.eq(emitter.access.reply)
            with m.Case(spec.Region.REGISTER):
                m.d.comb += reader.reply.eq(registers.access.reply)
            with m.Case(spec.Region.COUNTER):
                m.d.comb += reader.reply.eq(counter_word)

        # ------------------------------------------------------------ flits out
        # READs come only while the chip is idle: the two never meet.
        source = Mux(reader.busy, reader.flits.payload.as_value(), emitter.flits.payload.as_value())
        m.d.comb += [
            self.outbound.valid.eq(Mux(reader.busy, reader.flits.valid, emitter.flits.valid)),
            self.outbound.payload.eq(source),
            reader.flits.ready.eq(reader.busy & self.outbound.ready),
            emitter.flits.ready.eq(~reader.busy & self.outbound.ready),
        ]
        return m
