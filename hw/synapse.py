"""The synapse array: the SRAM of one-bit synapses, the axons of one page, and their popcount."""

from amaranth import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.popcount import popcount

ROW_LATENCY = 2  # cycles from `row_valid` to `count`


class SynapseArray(wiring.Component):
    """One dendrite row a cycle: how many of its synapses meet a spike of the loaded page.

    Interface attributes
    --------------------
    load, load_index, load_word : In
        Store AXON_WORD_BITS axons of the page that the following rows are held against.
    row_valid, row : In
        Hold this dendrite's row against them.
    count : Out
        popcount(row & axons), ROW_LATENCY cycles after `row_valid`; 0 when there was none.
    access : In
        Words of `spec.Region.SYNAPSE`; not beside `row_valid`.
    """

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._axons, self._dendrites = axons, dendrites
        words = axons // spec.AXON_WORD_BITS
        super().__init__(
            {
                "load": In(1),
                "load_index": In(range(max(words, 2))),
                "load_word": In(spec.AXON_WORD_BITS),
                "row_valid": In(1),
                "row": In(range(dendrites)),
                "count": Out(spec.COUNT_BITS),
                "access": In(layouts.MemoryAccess()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sram = sram = memory.Memory(shape=self._axons, depth=self._dendrites, init=[])
        write = sram.write_port(granularity=spec.DATA_BITS)
        read = sram.read_port()
        access = self.access
        word_bits = (spec.ROW_WORDS - 1).bit_length()
        accessed_row, accessed_word = access.offset[word_bits:], access.offset[:word_bits]
        mine = access.region == spec.Region.SYNAPSE
        m.d.comb += [
            write.addr.eq(accessed_row),
            write.data.eq(access.data.replicate(self._axons // spec.DATA_BITS)),
            write.en.eq((access.write & mine) << accessed_word),
            read.addr.eq(Mux(self.row_valid, self.row, accessed_row)),
            read.en.eq(self.row_valid | (access.read & mine)),
        ]
        replied = Signal(word_bits)
        with m.If(access.read):
            m.d.sync += replied.eq(accessed_word)
        with m.Switch(replied):
            for index in range(self._axons // spec.DATA_BITS):
                with m.Case(index):
                    m.d.comb += access.reply.eq(read.data.word_select(index, spec.DATA_BITS))

        lane = spec.AXON_WORD_BITS
        lanes = range(self._axons // lane)
        axons = [Signal(lane, name=f"axons_{index}", reset_less=True) for index in lanes]
        with m.If(self.load), m.Switch(self.load_index):
            for index, word in enumerate(axons):
                with m.Case(index):
                    m.d.sync += word.eq(self.load_word)

        row_ready = Signal()
        m.d.sync += row_ready.eq(self.row_valid)
        met = [read.data.word_select(index, lane) & word for index, word in enumerate(axons)]
        m.d.sync += self.count.eq(popcount(m, row_ready, met))
        return m
