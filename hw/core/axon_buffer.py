"""The double-buffered axon buffer: one half collects next tick's spikes, the other is consumed."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.core.popcount import popcounts


class AxonBuffer(wiring.Component):
    """A bitmap of pages x axons, twice.

    Interface attributes
    --------------------
    swap : In
        The halves change roles: what was collected can be consumed from the next cycle on.
    spikes_valid, spikes : In
        Set these axons' bits in the collecting half (always taken).
    load, load_page, load_word : In
        Fetch AXON_WORD_BITS axons of the consumed half, and clear them behind the read.
    word : Out
        What `load` asked for in the cycle before.
    pages : Out
        Pages of the consumed half that hold spikes.
    busy : Out
        Spikes are still being written: no `swap` by `go` now.
    taken : Out
        How many spikes are being written.
    """

    def __init__(self, axons: int = spec.AXONS) -> None:
        self._words = axons // spec.AXON_WORD_BITS  # a page
        super().__init__(
            {
                "swap": In(1),
                "spikes_valid": In(1),
                "spikes": In(layouts.SPIKES),
                "load": In(1),
                "load_page": In(spec.PAGE_BITS),
                "load_word": In(range(max(self._words, 2))),
                "word": Out(spec.AXON_WORD_BITS),
                "pages": Out(spec.MAX_PAGES),
                "busy": Out(1),
                "taken": Out(range(spec.DATA_BITS + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = spec.MAX_PAGES * self._words
        groups = spec.AXON_WORD_BITS // spec.DATA_BITS
        part_bits = (groups - 1).bit_length()
        word_bits = (self._words - 1).bit_length()

        collecting = Signal()  # the half that takes spikes
        pages = Array(Signal(spec.MAX_PAGES, name=f"pages_{half}") for half in range(2))
        m.d.comb += self.pages.eq(Mux(collecting, pages[0], pages[1]))

        # Second half of a read-modify-write, or of a read-and-clear.
        where = self.spikes.where
        set_valid, set_axons, set_part = Signal(), Signal(spec.DATA_BITS), Signal(part_bits)
        clear_valid = Signal()
        m.d.sync += [set_valid.eq(self.spikes_valid), clear_valid.eq(self.load)]
        m.d.comb += self.busy.eq(set_valid)
        with m.If(self.spikes_valid):
            m.d.sync += [
                set_axons.eq(self.spikes.axons),
                set_part.eq(where.group[:part_bits]),
            ]
        m.d.comb += self.taken.eq(popcounts(m, set_valid, [set_axons], rows=1)[0])
        set_bits = Cat(Mux(set_part == part, set_axons, 0) for part in range(groups))

        spike_address = Cat(where.group[part_bits : part_bits + word_bits], where.page)
        load_address = Cat(self.load_word[:word_bits], self.load_page)
        words = []
        for half in range(2):
            collects = collecting == half
            bank = memory.Memory(shape=spec.AXON_WORD_BITS, depth=depth, init=[])
            m.submodules[f"bank_{half}"] = bank
            write = bank.write_port()
            # Spikes of one word, twice in a row: the second read must see the first one's write.
            read = bank.read_port(transparent_for=(write,))
            last = Signal.like(read.addr, name=f"last_{half}")
            with m.If(read.en):
                m.d.sync += last.eq(read.addr)
            m.d.comb += [
                read.en.eq(Mux(collects, self.spikes_valid, self.load)),
                read.addr.eq(Mux(collects, spike_address, load_address)),
                write.en.eq(Mux(collects, set_valid, clear_valid)),
                write.addr.eq(last),
                write.data.eq(Mux(collects, read.data | set_bits, 0)),
            ]
            words.append(read.data)
            with m.If(collects & self.spikes_valid & self.spikes.axons.any()):
                m.d.sync += pages[half].eq(pages[half] | (1 << where.page))
            with m.If(~collects & self.swap):
                m.d.sync += pages[half].eq(0)  # all consumed: clean for the next tick
        m.d.comb += self.word.eq(Mux(collecting, words[0], words[1]))

        with m.If(self.swap):
            m.d.sync += collecting.eq(~collecting)
        return m
