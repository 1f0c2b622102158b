"""The formats of `hw.spec` as Amaranth layouts and signatures; no number of its own."""

from amaranth import unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw import spec
from hw.formats import Format


def layout_of(fmt: Format) -> data.StructLayout:
    """The Amaranth layout with the same fields at the same bits as `fmt`."""
    return data.StructLayout({field.name: unsigned(field.width) for field in fmt})


FLIT = layout_of(spec.FLIT)
AXON = layout_of(spec.AXON)
AXON_GROUP = layout_of(spec.AXON_GROUP)
FANOUT = layout_of(spec.FANOUT)
FANOUT_RANGE = layout_of(spec.FANOUT_RANGE)

# Spikes on their way into the axon buffer: `axons` are those of a group.
SPIKES = data.StructLayout({"axons": unsigned(spec.DATA_BITS), "where": AXON_GROUP})

# A neuron that fired, on its way from the soma to the emitter.
FIRE = data.StructLayout({"neuron": unsigned(spec.NEURON_BITS), "fanout": FANOUT_RANGE})


def flit_stream() -> stream.Signature:
    """Flits with valid and ready, as every link of the mesh has them."""
    return stream.Signature(FLIT)


class MemoryAccess(wiring.Signature):
    """One word of a core's memory map, written or read (never both in one cycle).

    Interface attributes
    --------------------
    region, offset : Out
        Which word (`spec.Region`, `spec.FLIT.offset`).
    write, data : Out
        Store `data` there in this cycle.
    read : Out
        Fetch the word; it stands in `reply` from the next cycle until the next `read`.
    reply : In
        The word fetched.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "region": Out(spec.REGION_BITS),
                "offset": Out(spec.OFFSET_BITS),
                "write": Out(1),
                "data": Out(spec.DATA_BITS),
                "read": Out(1),
                "reply": In(spec.DATA_BITS),
            }
        )
