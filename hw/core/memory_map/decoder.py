"""The memory map's switch: which block holds the word that is written or fetched."""

from collections.abc import Iterable
from typing import Any

from amaranth import Module, Mux, Signal, Value

from hw import spec
from hw.core.memory_map.reader import Reader
from hw.spec import Region


def decode(
    m: Module, flit: Any, write: Value, reader: Reader, blocks: Iterable[tuple[Any, list[Region]]]
) -> None:
    """Lead one word a cycle to and from `blocks` and their regions.

    While `write`, `flit` (of `layouts.FLIT`) holds the word to be stored; else the reader may fetch
    one, which stands in `reader.reply` from the next cycle on. Each block has an `access` (a
    `layouts.MemoryAccess`).
    """
    region, offset = Signal(spec.REGION_BITS), Signal(spec.OFFSET_BITS)
    m.d.comb += [
        region.eq(Mux(reader.fetch, reader.fetch_region, flit.region)),
        offset.eq(Mux(reader.fetch, reader.fetch_offset, flit.offset)),
    ]
    answering = Signal(spec.REGION_BITS)
    with m.If(reader.fetch):
        m.d.sync += answering.eq(region)
    with m.Switch(answering):
        for block, regions in blocks:
            m.d.comb += [
                block.access.region.eq(region),
                block.access.offset.eq(offset),
                block.access.write.eq(write),
                block.access.data.eq(flit.data),
                block.access.read.eq(reader.fetch),
            ]
            with m.Case(*regions):
                m.d.comb += reader.reply.eq(block.access.reply)
