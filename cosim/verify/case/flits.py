"""The flits of a step as lines of a case file, and back.

A line stands for one flit; spikes in the order of their axons share one. Those of a group that
travel in one flit are `together`. What has no words of its own stands there as a number.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.program.packing import CORNERS_MASK
from cosim.verify.case.words import Line, box_words, destination_words, ranges
from hw.spec import (
    AXON,
    AXON_GROUP,
    DATA_BITS,
    DENDRITES,
    FANOUT,
    FANOUT_ENTRIES,
    FLIT,
    MAX_PLANES,
    NEURON_STRIDE,
    NEURONS,
    REGISTERS,
    ROW_WORDS,
    Control,
    Kind,
    NeuronWord,
    Region,
    Register,
)

WORD = 1 << DATA_BITS
REGISTER_NAMES = {
    which.name.lower().replace("_", "-"): int(which)
    for which in Register
    if which not in (Register.CONTROL, Register.PLANE_WEIGHT)
} | {f"plane-weight-{plane}": Register.PLANE_WEIGHT + plane for plane in range(MAX_PLANES)}
NAMES_OF_REGISTERS = {offset: name for name, offset in REGISTER_NAMES.items()}
NEURON_WORDS = {"threshold": NeuronWord.THRESHOLD, "bias": NeuronWord.BIAS}
COMMANDS = {"restart": Control.RESTART, "clear-counters": Control.CLEAR_COUNTERS}
READABLE: dict[str, Region] = {
    region.name.lower(): region for region in Region if region not in (Region.AXONS, Region.SPIKE)
}
NAMES_OF_REGIONS = {int(region): name for name, region in READABLE.items()}


# ---------------------------------------------------------------- writing
def flit_lines(flits: NDArray[np.uint64]) -> Iterator[str]:
    """A step's flits in their order."""
    words = flits.tolist()
    place = 0
    while place < len(words):
        axons = _spikes_together(words, place)
        if axons:
            page = int(AXON.get(words[place], "page"))
            yield f"spike {_axon_words(words[place], axons, page)}"
        else:
            yield _other_line(words[place])
        place += max(1, len(axons))


def _spikes_together(words: list[int], place: int) -> list[int]:
    """The ascending axons of the spikes from here on that differ in nothing else."""
    axons: list[int] = []
    rest = _without_axon(words[place])
    for word in words[place:]:
        axon = int(AXON.get(word, "axon"))
        if not _is_spike(word) or _without_axon(word) != rest or (axons and axon <= axons[-1]):
            break
        axons.append(axon)
    return axons


def _is_spike(word: int) -> bool:
    """Whether it is a SPIKE with nothing in the fields that mean nothing in one."""
    data = AXON.pack(axon=AXON.get(word, "axon"), page=AXON.get(word, "page"))
    plain = FLIT.pack(kind=int(Kind.SPIKE), data=data) | word & CORNERS_MASK
    return bool(word == plain)


def _without_axon(word: int) -> int:
    return word & ~AXON.fields["axon"].mask


def _axon_words(word: int, axons: list[int], page: int) -> str:
    where = f"page {page} " if page else ""
    return f"{where}axons {ranges(axons)} to {box_words(word, FLIT)}"


def _together(word: int) -> tuple[list[int], int]:
    """The axons and the page of spikes in one flit; no axons: it is none, or has no words."""
    data, where = int(FLIT.get(word, "data")), int(FLIT.get(word, "offset"))
    page, group = int(AXON_GROUP.get(where, "page")), int(AXON_GROUP.get(where, "group"))
    axons = [group * DATA_BITS + bit for bit in range(DATA_BITS) if data >> bit & 1]
    plain = axons and word == _group_flit(axons, page) | word & CORNERS_MASK
    return (axons if plain else []), page


def _group_flit(axons: Sequence[int], page: int) -> int:
    """A flit with the spikes of these axons, which are of one group; to core (0, 0)."""
    where = AXON_GROUP.pack(group=axons[0] // DATA_BITS, page=page)
    data = sum(1 << axon % DATA_BITS for axon in axons)
    fields = {"region": int(Region.AXONS), "offset": where, "data": data}
    return int(FLIT.pack(kind=int(Kind.SPIKE), **fields))


def _other_line(word: int) -> str:
    kind, region, offset, data = (
        int(FLIT.get(word, name)) for name in ("kind", "region", "offset", "data")
    )
    box = box_words(word, FLIT)
    if kind == Kind.READ and region in NAMES_OF_REGIONS:
        return f"read {NAMES_OF_REGIONS[region]} {offset} count {data} from {box}"
    if kind == Kind.WRITE and (what := _written(region, offset, data)):
        return f"{what} to {box}"
    if kind == Kind.SPIKE and (together := _together(word))[0]:
        return f"spike together {_axon_words(word, *together)}"
    return f"flit {word:#x}"


def _written(region: int, offset: int, data: int) -> str:
    """What a WRITE writes, in words; "" where there are none."""
    number = data - WORD if data >> (DATA_BITS - 1) else data
    match region:
        case Region.REGISTER if offset == Register.CONTROL and 0 < data <= sum(COMMANDS.values()):
            return " ".join(["control", *(name for name, bit in COMMANDS.items() if data & bit)])
        case Region.REGISTER if offset in NAMES_OF_REGISTERS:
            value = number if REGISTERS[offset].signed else data
            return f"write {NAMES_OF_REGISTERS[offset]} {value}"
        case Region.NEURON:
            neuron, which = divmod(offset, NEURON_STRIDE)
            for name, code in NEURON_WORDS.items():
                if which == code and neuron < NEURONS:
                    return f"write neuron {neuron} {name} {number}"
            if which == NeuronWord.FANOUT and neuron < NEURONS:
                return f"write neuron {neuron} fan-out {data:#x}"
        case Region.FANOUT if offset < FANOUT_ENTRIES and data >> FANOUT.width == 0:
            return f"write entry {offset} {destination_words(data)}"
        case Region.SYNAPSE if offset < DENDRITES * ROW_WORDS:
            row, column = divmod(offset, ROW_WORDS)
            return f"write row {row} word {column} {data:#x}"
    return ""


# ---------------------------------------------------------------- reading
def read_flits(kind: str, line: Line) -> NDArray[np.uint64] | None:
    """The flits of a line that begins with `kind`; None where that is no kind of flit.

    Raises `InputError`.
    """
    match kind:
        case "spike":
            return _read_spikes(line)
        case "write":
            words = _read_write(line)
        case "control":
            words = _read_control(line)
        case "read":
            words = _read_read(line)
        case "flit":
            words = line.number("flit", 0, (1 << FLIT.width) - 1)
        case _:
            return None
    return np.array([words], np.uint64)


def _read_spikes(line: Line) -> NDArray[np.uint64]:
    together = line.skip("together")
    page = line.number("page", 0, AXON.fields["page"].mask) if line.skip("page") else 0
    line.expect("axons")
    axons = line.numbers("axon", 1 << AXON.fields["axon"].width)
    if together and axons[0] // DATA_BITS != axons[-1] // DATA_BITS:
        line.fail(
            f"axons {axons[0]} and {axons[-1]} cannot travel together: a flit has those of one"
            f" group of {DATA_BITS}, from a multiple of {DATA_BITS} on"
        )
    line.expect("to")
    if together:
        corners = int(FLIT.pack(**line.box()))
        return np.array([_group_flit(axons.tolist(), page) | corners], np.uint64)
    data = AXON.pack(axon=axons, page=page)
    flits: NDArray[np.uint64] = FLIT.pack(kind=int(Kind.SPIKE), data=data, **line.box())
    return flits


def _read_write(line: Line) -> int:
    what = line.word("what is written")
    if what in REGISTER_NAMES:
        region, offset = Region.REGISTER, REGISTER_NAMES[what]
        data = _number(line, what)
    elif what == "neuron":
        region = Region.NEURON
        neuron, word = line.number("neuron", 0, NEURONS - 1), line.word("a word of a neuron")
        names = NEURON_WORDS | {"fan-out": NeuronWord.FANOUT}
        if word not in names:
            line.fail(f"a neuron has no `{word}`, but {', '.join(names)}")
        offset, data = neuron * NEURON_STRIDE + names[word], _number(line, word)
    elif what == "entry":
        region, offset = Region.FANOUT, line.number("entry", 0, FANOUT_ENTRIES - 1)
        data = line.destination()
    elif what == "row":
        region, row = Region.SYNAPSE, line.number("row", 0, DENDRITES - 1)
        line.expect("word")
        offset = row * ROW_WORDS + line.number("word", 0, ROW_WORDS - 1)
        data = _number(line, "word")
    else:
        line.fail(f"`{what}` cannot be written: a register's name, neuron, entry or row can")
    line.expect("to")
    return _flit(line, Kind.WRITE, region, offset, data)


def _number(line: Line, what: str) -> int:
    """A word of memory, given with its sign or without."""
    return line.number(what, -WORD // 2, WORD - 1) % WORD


def _read_control(line: Line) -> int:
    data = 0
    while line.next in COMMANDS:
        data |= COMMANDS[line.word("a command")]
    if not data:
        line.fail(f"`control` needs a command: {' or '.join(COMMANDS)}, or both")
    line.expect("to")
    return _flit(line, Kind.WRITE, Region.REGISTER, Register.CONTROL, data)


def _read_read(line: Line) -> int:
    name = line.word("a memory")
    if name not in READABLE:
        line.fail(f"`{name}` is no memory: {', '.join(READABLE)} are")
    offset = line.number("offset", 0, FLIT.fields["offset"].mask)
    line.expect("count")
    data = line.number("count", 0, WORD - 1)
    line.expect("from")
    return _flit(line, Kind.READ, READABLE[name], offset, data)


def _flit(line: Line, kind: Kind, region: Region, offset: int, data: int) -> int:
    """The flit that goes to the rectangle that comes next."""
    fields = {"region": int(region), "offset": offset, "data": data}
    return int(FLIT.pack(kind=int(kind), **fields, **line.box()))
