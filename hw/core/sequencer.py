"""The order of a tick: which page is loaded, and which line of rows is read when."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.core.memory_map.registers import Configuration

LINE_ROW_BITS = (spec.LINE_ROWS - 1).bit_length()

# A neuron whose rows are wanted of the synapse array: the position of its first row among the rows
# of the last two lines; without `reads` it has no rows in this sweep.
ROW_REQUEST = data.StructLayout(
    {"neuron": spec.NEURON_BITS, "position": LINE_ROW_BITS + 1, "reads": 1}
)


class Sequencer(wiring.Component):
    """Page by page: load its axons, then pass each neuron, one a cycle.

    A neuron's P rows of a page lie in one line or in two in a row, and the next neuron's follow
    them: a line is read when the first neuron comes that needs it, one a cycle at most. Pages
    without spikes are skipped; a tick without spikes is one sweep without rows. Loading a page
    clears it in the axon buffer. So pages are loaded outside the window and for a restart as well,
    and so are pages that the configuration no longer has; none of these is swept. After reset both
    halves of the axon buffer are cleared, whatever they hold.

    Interface attributes
    --------------------
    config : In
        The core's registers.
    go, restart : In
        A tick, or a restart, begins in this cycle; only while idle.
    active : In
        From the cycle after `go` on: neurons are to be updated.
    swap : Out
        The halves of the axon buffer change roles.
    pages : In
        Pages of the consumed axons that hold spikes; valid in the cycle after `swap`.
    load, load_page, load_word : Out
        Fetch these axons into the page register.
    stall : In
        Pass no neuron now.
    line_valid, line : Out
        This line is read.
    request_valid, request : Out
        A neuron passes; the last of its rows is in the line last read, or read in this cycle.
    first_pass, last_pass : Out
        This sweep is the tick's first, or last.
    pipeline_busy : In
        Neurons of this sweep are still on their way.
    tick_end : Out
        The last neuron of an active tick has been updated.
    waking : Out
        The axon buffer is being cleared after reset.
    clearing : Out
        The same, or a restart runs: no spike may be collected now.
    idle : Out
        Nothing to do.
    """

    def __init__(self, axons: int, dendrites: int) -> None:
        self._words = axons // spec.AXON_WORD_BITS  # a page
        super().__init__(
            {
                "config": In(Configuration()),
                "go": In(1),
                "restart": In(1),
                "active": In(1),
                "swap": Out(1),
                "pages": In(spec.MAX_PAGES),
                "load": Out(1),
                "load_page": Out(spec.PAGE_BITS),
                "load_word": Out(range(max(self._words, 2))),
                "stall": In(1),
                "line_valid": Out(1),
                "line": Out(range(dendrites // spec.LINE_ROWS)),
                "request_valid": Out(1),
                "request": Out(ROW_REQUEST),
                "first_pass": Out(1),
                "last_pass": Out(1),
                "pipeline_busy": In(1),
                "tick_end": Out(1),
                "waking": Out(1),
                "clearing": Out(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        existing = Signal(spec.MAX_PAGES)  # pages that the configuration has
        for shift, count in enumerate(spec.PAGE_COUNTS):
            with m.If(config.page_shift == shift):
                m.d.comb += existing.eq((1 << count) - 1)
        remaining = Signal(spec.MAX_PAGES)  # pages with spikes, not yet loaded
        others = Signal(spec.MAX_PAGES)  # those after the lowest
        lowest = Signal(spec.PAGE_BITS)
        m.d.comb += others.eq(remaining & (remaining - 1))
        for page in reversed(range(spec.MAX_PAGES)):
            with m.If(remaining[page]):
                m.d.comb += lowest.eq(page)

        neuron = Signal(range(spec.NEURONS))
        reads = Signal()  # this sweep reads rows
        first, last = Signal(spec.DENDRITE_BITS), Signal(spec.DENDRITE_BITS)  # rows of the neuron
        first_line, last_line = first[LINE_ROW_BITS:], last[LINE_ROW_BITS:]
        line_read = Signal.like(last_line)
        updates = self.active & (config.neurons != 0)
        m.d.comb += [
            last.eq(first + config.planes - 1),
            self.line.eq(last_line),
            self.request.neuron.eq(neuron),
            self.request.position.eq(Cat(first[:LINE_ROW_BITS], first_line == last_line)),
            self.request.reads.eq(reads),
        ]
        with m.If(self.line_valid):
            m.d.sync += line_read.eq(self.line)

        # Halves of the axon buffer that may hold anything since reset. Its memory has no reset.
        unclean = Signal(range(3), init=2)
        clears = Signal()  # what runs is no tick
        m.d.comb += self.waking.eq(unclean != 0)

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.go | self.restart | self.waking):
                    m.d.comb += self.swap.eq(1)
                    m.d.sync += clears.eq(~self.go)
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [
                    remaining.eq(self.pages | self.waking.replicate(spec.MAX_PAGES)),
                    self.first_pass.eq(1),
                ]
                m.next = "NEXT PAGE"
            with m.State("NEXT PAGE"):
                m.d.sync += [
                    self.load_page.eq(lowest),
                    self.load_word.eq(0),
                    remaining.eq(others),
                    # Those that the configuration lacks are the highest: they come last.
                    self.last_pass.eq((others & existing) == 0),
                    reads.eq((remaining & existing) != 0),
                    neuron.eq(0),
                    first.eq(lowest * (config.neurons * config.planes)),
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
                    with m.If(updates & reads):
                        m.next = "FIRST LINE"
                    with m.Else():
                        m.next = "NEXT PAGE"
            with m.State("FIRST LINE"):
                # The first neuron may have rows in two lines, and only its last one's is read then.
                m.d.comb += [self.line_valid.eq(1), self.line.eq(first_line)]
                m.next = "SWEEP"
            with m.State("SWEEP"):
                with m.If(~self.stall):
                    m.d.comb += [
                        self.request_valid.eq(1),
                        self.line_valid.eq(reads & (line_read != last_line)),
                    ]
                    m.d.sync += [neuron.eq(neuron + 1), first.eq(first + config.planes)]
                    with m.If(neuron == config.neurons - 1):
                        m.next = "DRAIN"
            with m.State("DRAIN"):
                with m.If(~self.pipeline_busy):
                    m.d.sync += self.first_pass.eq(0)
                    m.next = "NEXT PAGE"
            with m.State("END"):
                m.d.comb += self.tick_end.eq(self.active)
                with m.If(self.waking):
                    m.d.sync += unclean.eq(unclean - 1)
                m.next = "IDLE"
        resting = fsm.ongoing("IDLE")
        m.d.comb += [
            self.clearing.eq(self.waking | (clears & ~resting)),
            self.idle.eq(resting & ~self.waking),
        ]
        return m
