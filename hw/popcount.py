"""How many bits of a wide word are set: a carry-save adder tree."""

from amaranth import Module, Signal, Value, ValueLike

LANE_BITS = 64


def _named(m: Module, enable: ValueLike, value: Value) -> Signal:
    """`value` as a signal that is held at 0 while `enable` is low (operand isolation)."""
    node = Signal(len(value))
    with m.If(enable):
        m.d.comb += node.eq(value)
    return node


def _lane_sum(m: Module, enable: ValueLike, lane: Value) -> Value:
    """The number of set bits of one lane.

    Fields of 1, 2, 4, 8 bits are summed in parallel inside a word. Halves of the lane are used, so
    that a sum and its carry stay below 64 bits, which simulators hold in one native word.
    """
    half = LANE_BITS // 2

    def masked(width: int) -> int:
        return sum(((1 << width) - 1) << i for i in range(0, half, 2 * width))

    nibbles = []
    for word in (lane[:half], lane[half:]):
        odd = word >> 1
        pairs = _named(m, enable, ((word ^ odd) & masked(1)) | ((word & odd & masked(1)) << 1))
        nibbles.append(_named(m, enable, (pairs & masked(2)) + ((pairs >> 2) & masked(2))))
    both = _named(m, enable, nibbles[0][:half] + nibbles[1][:half])
    octets = _named(m, enable, (both & masked(4)) + ((both >> 4) & masked(4)))
    return octets[0:8] + octets[8:16] + octets[16:24] + octets[24:32]


def popcount(m: Module, enable: ValueLike, bits: Value) -> Value:
    """The number of set bits of `bits`, 0 while `enable` is low; combinational.

    Lanes of LANE_BITS bits go through full adders that work on whole lanes (Harley and Seal), so
    that a row of 1024 synapses becomes five lanes of weights 1, 2, 4, 8, 16; only those are
    summed across. In silicon it is a compressor tree; in simulation it is a few dozen native words.
    """
    lanes = [_named(m, enable, bits[i : i + LANE_BITS]) for i in range(0, len(bits), LANE_BITS)]
    weight = 0
    columns: dict[int, list[Value]] = {0: lanes}
    sums: list[tuple[int, Value]] = []
    while weight in columns:
        column = columns[weight]
        while len(column) > 1:
            a, b, *rest = column
            if rest:
                c = rest.pop(0)
                half = _named(m, enable, a ^ b)
                column = [*rest, _named(m, enable, half ^ c)]
                carry = _named(m, enable, (a & b) | (half & c))
            else:
                column = [_named(m, enable, a ^ b)]
                carry = _named(m, enable, a & b)
            columns.setdefault(weight + 1, []).append(carry)
        sums.append((weight, column[0]))
        weight += 1
    counts = [_lane_sum(m, enable, lane) << weight for weight, lane in sums]
    total = counts[0]
    for count in counts[1:]:
        total = total + count
    return total[: len(bits).bit_length()]
