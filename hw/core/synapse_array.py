"""The synapse array: the SRAM of one-bit synapses, the axons of one page, and their popcounts."""

from amaranth import Cat, ClockSignal, Instance, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.core.popcount import popcounts

LINE_LATENCY = 2  # cycles from `line_valid` to its counts
LANE_BITS = spec.LINE_ROWS * spec.LANE
WORD_LANES = spec.DATA_BITS // spec.LANE
RECENT_ROWS = 2 * spec.LINE_ROWS
COLUMN_BITS = (spec.ROW_WORDS - 1).bit_length()
ROW_BITS = (spec.LINE_ROWS - 1).bit_length()
LINES_MODULE = "nc64c_synapse_lines"


class WithInstances:
    """The platform of what becomes Verilog: the lines are a module that is written in Verilog.

    It does the same in every cycle (`tests/hw/verilog/test_synapse_lines.py`), and a simulator
    counts its rows by words. Without a platform everything is Amaranth, as its simulator needs it.
    """


class SynapseArray(wiring.Component):
    """One line of LINE_ROWS dendrite rows a cycle: how many synapses of each meet a spike.

    Interface attributes
    --------------------
    load, load_index, load_word : In
        Store AXON_WORD_BITS axons of the page that the following lines are held against.
    line_valid, line : In
        Hold this line's rows against them.
    recent_counts : Out
        popcount(row & axons) of the rows of the last two lines, the last one's behind the other's;
        LINE_LATENCY cycles after `line_valid`, until the next line.
    access : In
        Words of `spec.Region.SYNAPSE`; not beside `line_valid`.
    busy : Out
        A word is still being written.
    """

    def __init__(self, axons: int = spec.AXONS, dendrites: int = spec.DENDRITES) -> None:
        self._axons = axons
        self._lines = dendrites // spec.LINE_ROWS
        words = axons // spec.AXON_WORD_BITS
        super().__init__(
            {
                "load": In(1),
                "load_index": In(range(max(words, 2))),
                "load_word": In(spec.AXON_WORD_BITS),
                "line_valid": In(1),
                "line": In(range(self._lines)),
                "recent_counts": Out(spec.COUNT_BITS).array(RECENT_ROWS),
                "access": In(layouts.MemoryAccess()),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if isinstance(platform, WithInstances):
            self._place_lines(m)
            return m
        columns = self._sram(m)
        axons = self._page(m)
        line_ready = Signal()
        m.d.sync += line_ready.eq(self.line_valid)
        lanes = [column.word_select(i, LANE_BITS) for column in columns for i in range(WORD_LANES)]
        met = [lane & axon for lane, axon in zip(lanes, axons, strict=True)]
        counts = popcounts(m, line_ready, met, spec.LINE_ROWS)
        window = [self.recent_counts[index] for index in range(RECENT_ROWS)]
        with m.If(line_ready):
            for before, after in zip(window, [*window[spec.LINE_ROWS :], *counts], strict=True):
                m.d.sync += before.eq(after)
        return m

    def _page(self, m: Module) -> list[Value]:
        """The loaded page, lane by lane; each axon once for every row of a line.

        A register file, drawn as memories: a write then touches what it writes and nothing else.
        """
        words = range(self._axons // spec.AXON_WORD_BITS)
        per_word = spec.AXON_WORD_BITS // spec.LANE
        lanes: list[list[Value]] = [[] for _ in words]
        for index in range(per_word):
            file = memory.Memory(shape=LANE_BITS, depth=len(words), init=[])
            m.submodules[f"page_{index}"] = file
            write = file.write_port()
            lane = self.load_word.word_select(index, spec.LANE)
            m.d.comb += [
                write.addr.eq(self.load_index),
                write.data.eq(lane.replicate(spec.LINE_ROWS)),
                write.en.eq(self.load),
            ]
            for word in words:
                read = file.read_port(domain="comb")
                m.d.comb += read.addr.eq(word)
                lanes[word].append(read.data)
        return [lane for word in lanes for lane in word]

    def _place_lines(self, m: Module) -> None:
        """The lines, their counts and the words in them as a Verilog instance."""
        access, words = self.access, self._axons // spec.DATA_BITS
        offset = access.offset
        mine = access.region == spec.Region.SYNAPSE
        line_ready = Signal()
        writing = Signal()
        there = Signal()  # a row has such a word
        place = Signal(len(offset))  # of the word that is written or read
        data = Signal(spec.DATA_BITS)
        word = Signal(spec.DATA_BITS)
        line = Signal(range(self._lines))
        wanted_line = Signal.like(line)
        column, row = place[:COLUMN_BITS], place[COLUMN_BITS:][:ROW_BITS]
        m.d.sync += [line_ready.eq(self.line_valid), writing.eq(access.write & mine)]
        with m.If(access.write | access.read):
            m.d.sync += [place.eq(offset), data.eq(access.data)]
        m.d.comb += [
            self.busy.eq(writing),
            line.eq(place[COLUMN_BITS + ROW_BITS :]),
            wanted_line.eq(offset[COLUMN_BITS + ROW_BITS :]),
            there.eq(column < words),
            access.reply.eq(Mux(there, word, 0)),
        ]
        m.submodules.lines = Instance(
            LINES_MODULE,
            p_AXONS=self._axons,
            p_LINES=self._lines,
            p_LINE_BITS=len(line),
            p_LOAD_BITS=len(self.load_index),
            p_COLUMN_BITS=COLUMN_BITS,
            p_ROW_BITS=ROW_BITS,
            p_COUNT_BITS=spec.COUNT_BITS,
            i_clk=ClockSignal(),
            i_load=self.load,
            i_load_index=self.load_index,
            i_load_word=self.load_word,
            i_read=self.line_valid | ((access.write | access.read) & mine),
            i_read_line=Mux(self.line_valid, self.line, wanted_line),
            i_count=line_ready,
            o_recent_counts=Cat(*(self.recent_counts[index] for index in range(RECENT_ROWS))),
            i_write=writing & there,
            i_write_line=line,
            i_write_row=row,
            i_write_column=column,
            i_write_data=data,
            i_word_row=row,
            i_word_column=column,
            o_word=word,
        )

    def _sram(self, m: Module) -> list[Value]:
        """The line read, a column of DATA_BITS axons each; and a word's way in and out.

        A word is a part of a line: writing one reads the column, and writes it back in the next
        cycle with the word in it.
        """
        access = self.access
        wanted = access.offset[:COLUMN_BITS]
        wanted_row = access.offset[COLUMN_BITS : COLUMN_BITS + ROW_BITS]
        line_bits = (self._lines - 1).bit_length()
        wanted_line = access.offset[COLUMN_BITS + ROW_BITS :][:line_bits]
        mine = access.region == spec.Region.SYNAPSE
        writing, column = Signal(), Signal(COLUMN_BITS)
        row, line = Signal(ROW_BITS), Signal(range(self._lines))
        data = Signal(spec.DATA_BITS)
        m.d.sync += writing.eq(access.write & mine)
        m.d.comb += self.busy.eq(writing)
        with m.If(access.write | access.read):
            m.d.sync += [
                column.eq(wanted),
                row.eq(wanted_row),
                line.eq(wanted_line),
                data.eq(access.data),
            ]

        old, new = Signal(WORD_LANES * LANE_BITS), Signal(WORD_LANES * LANE_BITS)
        words = self._axons // spec.DATA_BITS
        m.submodules.sram = sram = memory.Memory(shape=words * len(old), depth=self._lines, init=[])
        write, read = sram.write_port(granularity=len(old)), sram.read_port()
        m.d.comb += [
            write.addr.eq(line),
            write.data.eq(new.replicate(words)),
            write.en.eq(writing << column),
            read.addr.eq(Mux(self.line_valid, self.line, wanted_line)),
            read.en.eq(self.line_valid | ((access.write | access.read) & mine)),
        ]
        columns = [read.data.word_select(index, len(old)) for index in range(words)]

        # Two words of one column in a row: what the first one wrote was not read by the second.
        last, again = Signal.like(new), Signal()
        same = (wanted == column) & (wanted_line == line)
        m.d.sync += again.eq(writing & same & (column < words))
        with m.If(again):
            m.d.comb += old.eq(last)
        with m.Else(), m.Switch(column):
            for index, read_data in enumerate(columns):
                with m.Case(index):
                    m.d.comb += old.eq(read_data)
        lanes = [old.word_select(lane, LANE_BITS) for lane in range(WORD_LANES)]
        with m.Switch(row):
            for index in range(spec.LINE_ROWS):
                with m.Case(index):
                    m.d.comb += access.reply.eq(
                        Cat(lane.word_select(index, spec.LANE) for lane in lanes)
                    )
        with m.If(writing):
            m.d.sync += last.eq(new)
            m.d.comb += new.eq(old)
            with m.Switch(row):
                for index in range(spec.LINE_ROWS):
                    with m.Case(index):
                        for lane in range(WORD_LANES):
                            place = new.word_select(lane, LANE_BITS).word_select(index, spec.LANE)
                            m.d.comb += place.eq(data.word_select(lane, spec.LANE))
        return columns
