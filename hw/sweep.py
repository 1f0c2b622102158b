"""The order of a tick: which page is loaded, and which row of which neuron is read when."""

from amaranth import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.registers import Configuration

# A row on its way through the synapse array; `last` is the neuron's last plane of this page.
STEP = data.StructLayout(
    {"neuron": spec.NEURON_BITS, "plane": spec.PLANE_BITS, "first": 1, "last": 1}
)


class Sweep(wiring.Component):
    """Page by page: load its axons, then read P rows of each neuron, one row a cycle.

    Pages without spikes are skipped; a tick without spikes is one sweep without rows. Outside the
    window, and for a restart, pages are loaded all the same, since loading clears the axon buffer.

    Interface attributes
    --------------------
    config : In
        The core's registers.
    begin : In
        A tick, or a restart, begins in this cycle.
    active : In
        From the next cycle on: neurons are to be updated.
    pages : In
        Pages of the consumed axons that hold spikes; valid in the cycle after `begin`.
    load, load_page, load_word : Out
        Fetch these axons into the page register.
    hold : In
        Read no row now.
    step_valid, step, row : Out
        A row is read, or in a silent sweep (`reads` low) a neuron passes without one.
    reads : Out
        This sweep reads rows.
    first_pass, last_pass : Out
        This sweep is the tick's first, or last.
    pipeline_busy : In
        Rows of this sweep are still on their way.
    tick_end : Out
        The last neuron of an active tick has been updated.
    idle : Out
        Nothing to do.
    """

    def __init__(self, axons: int, dendrites: int) -> None:
        self._words = axons // spec.AXON_WORD_BITS  # a page
        super().__init__(
            {
                "config": In(Configuration()),
                "begin": In(1),
                "active": In(1),
                "pages": In(spec.MAX_PAGES),
                "load": Out(1),
                "load_page": Out(spec.PAGE_BITS),
                "load_word": Out(range(max(self._words, 2))),
                "hold": In(1),
                "step_valid": Out(1),
                "step": Out(STEP),
                "row": Out(range(dendrites)),
                "reads": Out(1),
                "first_pass": Out(1),
                "last_pass": Out(1),
                "pipeline_busy": In(1),
                "tick_end": Out(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        remaining = Signal(spec.MAX_PAGES)  # pages with spikes, not yet loaded
        others = Signal(spec.MAX_PAGES)  # those behind the lowest
        lowest = Signal(spec.PAGE_BITS)
        m.d.comb += others.eq(remaining & (remaining - 1))
        for page in reversed(range(spec.MAX_PAGES)):
            with m.If(remaining[page]):
                m.d.comb += lowest.eq(page)

        neuron = Signal(range(spec.NEURONS))
        plane = Signal(spec.PLANE_BITS)
        row = Signal(range(1 << spec.DENDRITE_BITS))
        rows_of_neuron = Signal(range(spec.MAX_PAGES * spec.MAX_PLANES + 1))
        last_plane = Signal()
        updates = self.active & (config.neurons != 0)
        m.d.comb += [
            rows_of_neuron.eq(config.planes << config.page_shift),
            last_plane.eq(~self.reads | (plane == config.planes - 1)),
            self.step.neuron.eq(neuron),
            self.step.plane.eq(plane),
            self.step.first.eq(plane == 0),
            self.step.last.eq(last_plane),
            self.row.eq(row),
        ]

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.begin):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [remaining.eq(self.pages), self.first_pass.eq(1)]
                m.next = "NEXT PAGE"
            with m.State("NEXT PAGE"):
                m.d.sync += [
                    self.load_page.eq(lowest),
                    self.load_word.eq(0),
                    remaining.eq(others),
                    self.last_pass.eq(others == 0),
                    self.reads.eq(remaining != 0),
                    neuron.eq(0),
                    plane.eq(0),
                    row.eq(lowest * config.planes),
                ]
                with m.If(remaining != 0):
                    m.next = "LOAD"
                with m.Elif(updates & self.first_pass):
                    m.next = "SWEEP"
                with m.Else():
                    m.next = "END"
            with m.State("LOAD"):
                m.d.comb += self.load.eq(1)
                m.d.sync += self.load_word.eq(self.load_word + 1)
                with m.If(self.load_word == self._words - 1):
                    with m.If(updates):
                        m.next = "SWEEP"
                    with m.Else():
                        m.next = "NEXT PAGE"
            with m.State("SWEEP"):
                with m.If(~self.hold):
                    m.d.comb += self.step_valid.eq(1)
                    with m.If(last_plane):
                        m.d.sync += [
                            plane.eq(0),
                            neuron.eq(neuron + 1),
                            row.eq(row + rows_of_neuron - config.planes + 1),
                        ]
                        with m.If(neuron == config.neurons - 1):
                            m.next = "DRAIN"
                    with m.Else():
                        m.d.sync += [plane.eq(plane + 1), row.eq(row + 1)]
            with m.State("DRAIN"):
                with m.If(~self.pipeline_busy):
                    m.d.sync += self.first_pass.eq(0)
                    m.next = "NEXT PAGE"
            with m.State("END"):
                m.d.comb += self.tick_end.eq(self.active)
                m.next = "IDLE"
        m.d.comb += self.idle.eq(fsm.ongoing("IDLE"))
        return m
