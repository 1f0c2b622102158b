"""The synapse array: the SRAM of one-bit synapses, the axons of one page, and their popcount."""

from amaranth import Cat, Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.popcount import popcount

ROW_LATENCY = 2  # cycles from `row_valid` to `count`


class SynapseArray(wiring.Component):
    """One dendrite row a cycle: how many of its synapses meet a spike of the loaded page.

    Interface attributes
    --------------------
    load, load_index, load_word : In
        Store AXON_WORD_BITS axons of the page that the following rows are held against.
    row_valid, row : In
        Read this dendrite's row.
    count : Out
        popcount(row & axons), ROW_LATENCY cycles after `row_valid`; 0 when there was none.
    write, read, word, data : In
        Configuration: 32-bit `word` of `row` is written, or fetched; not beside `row_valid`.
    reply : Out
        The word fetched, from the cycle after `read` on.
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
                "write": In(1),
                "read": In(1),
                "word": In(range(spec.ROW_WORDS)),
                "data": In(spec.DATA_BITS),
                "reply": Out(spec.DATA_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sram = sram = memory.Memory(
            shape=self._axons, depth=self._dendrites, init=[]
        )
        write = sram.write_port(granularity=spec.DATA_BITS)
        read = sram.read_port()
        m.d.comb += [
            write.addr.eq(self.row),
            write.data.eq(self.data.replicate(self._axons // spec.DATA_BITS)),
            write.en.eq(self.write << self.word),
            read.addr.eq(self.row),
            read.en.eq(self.row_valid | self.read),
        ]
        word = Signal.like(self.word)
        with m.If(self.read):
            m.d.sync += word.eq(self.word)
        with m.Switch(word):
            for index in range(self._axons // spec.DATA_BITS):
                with m.Case(index):
                    m.d.comb += self.reply.eq(read.data.word_select(index, spec.DATA_BITS))

        lanes = []
        for index in range(self._axons // spec.AXON_WORD_BITS):
            lane = Signal(spec.AXON_WORD_BITS, name=f"axons_{index}")
            with m.If(self.load & (self.load_index == index)):
                m.d.sync += lane.eq(self.load_word)
            lanes.append(lane)

        row_ready = Signal()
        m.d.sync += row_ready.eq(self.row_valid)
        m.d.sync += self.count.eq(popcount(m, row_ready, read.data & Cat(*lanes)))
        return m
