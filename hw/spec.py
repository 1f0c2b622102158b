"""The NC64C's programmer's model as plain numbers: widths, limits, packet and SRAM formats.

This is the one place where they stand. The RTL (through `hw.layouts`), the golden model, the
mapper and the test benches import it; it imports nothing of the project but `hw.formats`.

The rules that the numbers cannot say
-------------------------------------
*Tick.* In tick t a core consumes the axon spikes delivered before the chip's t-th `go` (counted
from the last RESTART, the first is tick 0); what it fires is delivered before the next one. A tick
is over when every core is idle and every router empty; host packets sent after that, and before
the next `go`, are for the next tick. So are SPIKEs that the host sends GO_CYCLES after `go` or
later: the tick is then over when they have arrived too. Two spikes on one axon in one tick are one.
A SPIKE to region AXONS is one to each axon whose bit is set, up to 32 of them in one flit.

*Neuron n, in order n = 0 .. NEURONS-1, when FIRST_TICK <= tick < LAST_TICK*::

    I = sum over pages f, planes p:  PLANE_WEIGHT[p] * popcount(axons[f] & row(n, f, p))
    v = saturate(v - (v >> k) + I + bias)        # one exact sum, saturated once; no k: no leak
    fired = v >= threshold + (lfsr & NOISE_MASK)  # exact, nothing wraps; v is the saturated one
    if fired: v = 0 | saturate(v - threshold) | v # RESET_MODE zero | subtract | none
    v = max(v, FLOOR)
    lfsr = next(lfsr)                             # one step per neuron per active tick

`row(n, f, p)` is dendrite (f * NEURONS + n) * P + p. Outside the window a core keeps its membranes
and its LFSR and drops the spikes delivered for that tick. `>>` is arithmetic; `saturate` clips to
MEMBRANE_BITS. I needs no saturation of its own: 8192 axons x 8 planes x 16-bit weights fit 32 bits.

*LFSR.* Galois, right shift: bit 0 is shifted out, and if it was 1 the rest is XORed with
LFSR_TAPS. Period 2^16 - 1; state 0 stays 0 (no noise).

*Pages.* A SPIKE to a page that the core does not have (page >= 2^PAGE_SHIFT) when it arrives is
dropped at the door. PAGE_SHIFT may change before the next `go`: what counts for the tick is its
value at `go`. Spikes that wait on a page which the core does not have then are dropped with the
tick, and spikes on pages that it has again by then are consumed as usual.

*RESTART* (a CONTROL write, only while the chip is idle): tick := 0, the membranes of all neurons,
whether NEURONS counts them or not, := 0, lfsr := SEED, and spikes delivered so far are dropped;
flits that arrive after it wait until it is done, and spikes among them count for tick 0.

*Reset* (the chip's pin): registers as listed in `REGISTERS`, then everything as after RESTART,
counters 0. Synapses, neuron words and fan-out entries keep what they hold. The cores then clear
their axon buffers; the host sends nothing before `idle` has risen.

*Reconfiguration.* Memories and registers may be written again between any two ticks, in any order;
`REGISTERS` says when each register may be. A tick uses the values at its `go`. Neurons keep their
membranes by their number: those that NEURONS leaves out for some ticks are not updated and read as
0, and go on from their old value when it counts them again. Rows are numbered by PLANES, PAGE_SHIFT
and NEURONS: whoever changes one of these moves the synapses of the other neurons and pages. At
`go` there must be at least 1 plane, and NEURONS * PLANES * pages at most the core's dendrites.

*Routing.* A flit goes to every core of a rectangle of the mesh, X first, then Y, one copy a core;
1 x 1 is unicast. A HOST flit goes west along its row to the host port. Flits from one source to one
destination keep their order. READ only while the chip is idle: a reply may otherwise wait behind
spikes that wait behind the request.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from hw.formats import Format

# ---------------------------------------------------------------- sizes of the full chip
MESH_COLUMNS = 8
MESH_ROWS = 8
AXONS = 1024  # inputs of a core, per page
DENDRITES = 1024  # rows of a core's synapse SRAM
NEURONS = DENDRITES  # a neuron needs at least one dendrite
MAX_PLANES = 8  # one-bit synapses that make one multi-bit weight
LANE = 8  # axons whose synapses of all rows of a line stand side by side in the SRAM
LINE_ROWS = MAX_PLANES  # rows that are read at a time: a neuron's, one page of it
PAGE_COUNTS = (1, 2, 4, 8)  # pages of axons that make one neuron's fan-in
MAX_PAGES = max(PAGE_COUNTS)
FANOUT_ENTRIES = 4096  # destinations a core holds for all of its neurons

# ---------------------------------------------------------------- widths
DATA_BITS = 32  # payload of a flit, and the word of every memory map
COORD_BITS = 3
AXON_BITS = 10
PAGE_BITS = 3
GROUP_BITS = 5  # of DATA_BITS axons, which one SPIKE flit can carry
DENDRITE_BITS = 10
NEURON_BITS = 10
COUNT_BITS = AXON_BITS + 1  # popcount of one row: 0 .. 1024
STEP_OPS_BITS = COUNT_BITS + 3  # synaptic operations of LINE_ROWS rows: 0 .. 8192
PLANE_WEIGHT_BITS = 16  # signed
MEMBRANE_BITS = 32  # signed; also threshold, bias and floor
LEAK_BITS = 5
LFSR_BITS = 16
LFSR_TAPS = 0xB400  # x^16 + x^14 + x^13 + x^11 + 1, primitive
TICK_BITS = 32
FANOUT_BITS = 12
COUNTER_BITS = 64  # read as two words, low first
REGION_BITS = 3
OFFSET_BITS = 15  # DENDRITE_BITS + log2(ROW_WORDS)

MEMBRANE_MAX = (1 << (MEMBRANE_BITS - 1)) - 1
MEMBRANE_MIN = -(1 << (MEMBRANE_BITS - 1))
FLOOR_NONE = MEMBRANE_MIN
PLANE_WEIGHT_MAX = (1 << (PLANE_WEIGHT_BITS - 1)) - 1
PLANE_WEIGHT_MIN = -(1 << (PLANE_WEIGHT_BITS - 1))
LFSR_MAX = (1 << LFSR_BITS) - 1
TICK_MAX = (1 << TICK_BITS) - 1

GO_CYCLES = 4  # cycles after `go` in which the host sends nothing
NEURON_STRIDE = 4  # offsets between the words of two neurons
ROW_WORDS = AXONS // DATA_BITS  # words of a full-size synapse row
AXON_WORD_BITS = 64  # the axon buffer is read this many axons at a time


class Kind(IntEnum):
    """What a flit is."""

    SPIKE = 0  # data = AXON, or see Region.AXONS; to the axon buffers of the rectangle's cores
    WRITE = 1  # data = word, to (region, offset)
    READ = 2  # data = number of words from (region, offset) up; each comes back as a HOST flit
    HOST = 3  # to the host; x0, y0 = the core it comes from


class Region(IntEnum):
    """Memories of a core, as WRITE, READ and HOST flits name them."""

    SYNAPSE = 0  # offset = dendrite * ROW_WORDS + word; bit b of word w is axon 32 w + b
    NEURON = 1  # offset = neuron * NEURON_STRIDE + NeuronWord
    FANOUT = 2  # offset = entry; data = FANOUT
    MEMBRANE = 3  # offset = neuron; read only
    REGISTER = 4  # offset = Register
    COUNTER = 5  # offset = 2 * Counter + (0 low word, 1 high word); read only
    AXONS = 6  # SPIKE flits only: offset = AXON_GROUP; bit b of data is axon 32 group + b
    SPIKE = 7  # HOST flits only: offset = neuron that fired, data = tick


class NeuronWord(IntEnum):
    """Words of a neuron, NEURON_STRIDE offsets from one neuron to the next."""

    THRESHOLD = 0
    BIAS = 1
    FANOUT = 2  # data = FANOUT_RANGE


class Register(IntEnum):
    """Configuration registers of a core; `REGISTERS` says what each one holds."""

    CONTROL = 0  # Control bits; write only
    PLANES = 1
    PAGE_SHIFT = 2  # log2 of pages
    NEURONS = 3
    LEAK = 4  # LEAK
    RESET_MODE = 5  # ResetMode
    NOISE_MASK = 6
    SEED = 7
    FLOOR = 8
    FIRST_TICK = 9
    LAST_TICK = 10  # exclusive
    TRACE = 11  # 1: every neuron that fires also sends a HOST flit
    PLANE_WEIGHT = 16  # .. 23: one per plane


class Accepted(IntEnum):
    """When a register may be written, and what counts."""

    IDLE = 0  # only while the chip is idle; counts from the next tick on
    AT_GO = 1  # at any time; its value at a `go` counts for that tick
    AT_RESTART = 2  # at any time; its value at a RESTART counts until the next one


class Control(IntFlag):
    RESTART = 1
    CLEAR_COUNTERS = 2  # this core's counters and its router's


class ResetMode(IntEnum):
    ZERO = 0
    SUBTRACT = 1
    NONE = 2


class Counter(IntEnum):
    TICKS = 0  # `go`s seen
    BUSY_CYCLES = 1  # cycles in which the core was not idle
    SPIKES_IN = 2  # spikes taken, those to a page the core does not have excepted
    SPIKES_OUT = 3  # neurons fired
    SYNAPTIC_OPS = 4  # one-bit synapses that met a spike
    FLITS = 5  # flits the router passed on, copies counted
    STALLS = 6  # output-cycles in which a flit waited because the output's queue was full


FLIT = Format(
    "FLIT",
    data=DATA_BITS,
    offset=OFFSET_BITS,
    region=REGION_BITS,
    x0=COORD_BITS,
    y0=COORD_BITS,
    x1=COORD_BITS,
    y1=COORD_BITS,
    kind=2,
)
AXON = Format("AXON", axon=AXON_BITS, page=PAGE_BITS)
AXON_GROUP = Format("AXON_GROUP", group=AXON_BITS - GROUP_BITS, page=PAGE_BITS)
FANOUT = Format(
    "FANOUT",
    axon=AXON_BITS,
    page=PAGE_BITS,
    x0=COORD_BITS,
    y0=COORD_BITS,
    x1=COORD_BITS,
    y1=COORD_BITS,
    host=1,  # 1: to the host instead of the rectangle
)
CORNERS = ("x0", "y0", "x1", "y1")  # of the rectangle, in FLIT and FANOUT
FANOUT_RANGE = Format("FANOUT_RANGE", start=FANOUT_BITS, count=FANOUT_BITS)
LEAK = Format("LEAK", shift=LEAK_BITS, enable=1)


@dataclass(frozen=True)
class RegisterFormat:
    """A register: its least and largest value, its value after reset, when it may be written.

    It is stored in the fewest bits that hold this range, as two's complement if `least` < 0. Of a
    word that is written to a signed register, its low bits count; reads extend the sign.
    """

    least: int
    most: int
    reset: int = 0
    accepted: Accepted = Accepted.IDLE

    @property
    def signed(self) -> bool:
        return self.least < 0

    @property
    def bits(self) -> int:
        return self.most.bit_length() + self.signed


REGISTERS: dict[int, RegisterFormat] = {
    Register.CONTROL: RegisterFormat(0, sum(Control)),  # acts at once, and stores nothing
    Register.PLANES: RegisterFormat(0, MAX_PLANES, reset=1),
    # PAGE_SHIFT also decides at once which SPIKEs are taken, NEURONS which membranes can be read.
    Register.PAGE_SHIFT: RegisterFormat(0, len(PAGE_COUNTS) - 1),
    Register.NEURONS: RegisterFormat(0, NEURONS),
    Register.LEAK: RegisterFormat(0, (1 << LEAK.width) - 1),
    Register.RESET_MODE: RegisterFormat(0, max(ResetMode), reset=ResetMode.ZERO),
    Register.NOISE_MASK: RegisterFormat(0, LFSR_MAX),
    Register.SEED: RegisterFormat(0, LFSR_MAX, reset=1, accepted=Accepted.AT_RESTART),
    Register.FLOOR: RegisterFormat(MEMBRANE_MIN, MEMBRANE_MAX, reset=FLOOR_NONE),
    Register.FIRST_TICK: RegisterFormat(0, TICK_MAX, accepted=Accepted.AT_GO),
    Register.LAST_TICK: RegisterFormat(0, TICK_MAX, reset=TICK_MAX, accepted=Accepted.AT_GO),
    Register.TRACE: RegisterFormat(0, 1),
    **{
        Register.PLANE_WEIGHT + plane: RegisterFormat(PLANE_WEIGHT_MIN, PLANE_WEIGHT_MAX)
        for plane in range(MAX_PLANES)
    },
}
# Synapses, neuron words and fan-out entries are accepted as IDLE; SPIKEs: see *Tick*; READs: see
# *Routing*.


@dataclass(frozen=True)
class ChipShape:
    """Size of a chip. The default is the real one; smaller ones serve tests.

    Raises `ValueError` for a size that the formats above cannot address.
    """

    columns: int = MESH_COLUMNS
    rows: int = MESH_ROWS
    axons: int = AXONS
    dendrites: int = DENDRITES

    def __post_init__(self) -> None:
        for name, value, most in (
            ("columns", self.columns, MESH_COLUMNS),
            ("rows", self.rows, MESH_ROWS),
        ):
            if not 1 <= value <= most:
                raise ValueError(f"chip {name} = {value}: must be 1 to {most}")
        if self.axons not in (64, 128, 256, 512, 1024):
            raise ValueError(f"chip axons = {self.axons}: must be 64, 128, 256, 512 or 1024")
        if self.dendrites not in (16, 32, 64, 128, 256, 512, 1024):
            raise ValueError(
                f"chip dendrites = {self.dendrites}: must be a power of two, 16 to {DENDRITES}"
            )

    @property
    def cores(self) -> int:
        return self.columns * self.rows

    @property
    def row_words(self) -> int:
        """Words of one synapse row; offsets in Region.SYNAPSE still count ROW_WORDS a row."""
        return self.axons // DATA_BITS


FULL_CHIP = ChipShape()
