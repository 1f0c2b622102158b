"""How many bits are set in each of several rows at once: a carry-save adder tree."""

from collections.abc import Sequence

from amaranth import Cat, Module, Signal, Value, ValueLike


def _node(m: Module, enable: ValueLike, value: Value) -> Signal:
    """`value`, or 0 while nothing is counted, under a name: it is used more than once."""
    node = Signal(len(value))
    with m.If(enable):
        m.d.comb += node.eq(value)
    return node


def _compress(m: Module, enable: ValueLike, columns: list[list[Value]]) -> list[Value]:
    """Full and half adders, each on whole words, until every column has one word left.

    Column i has words whose bits count 2^i; carries go to the next column, a new one if need be.
    """
    left: list[Value] = []
    while columns:
        column, *columns = columns
        carries = []
        while len(column) > 1:
            a, b, *column = column
            if column:
                c, *column = column
                half = _node(m, enable, a ^ b)
                column = [*column, _node(m, enable, half ^ c)]
                carries.append(_node(m, enable, (a & b) | (half & c)))
            else:
                column = [_node(m, enable, a ^ b)]
                carries.append(_node(m, enable, a & b))
        left += column
        if carries:
            columns = [[*columns[0], *carries], *columns[1:]] if columns else [carries]
    return left


def popcounts(m: Module, enable: ValueLike, lanes: Sequence[Value], rows: int) -> list[Value]:
    """The number of set bits of each row, all lanes together; 0 while `enable` is low.

    Every lane has the same number of places of each row, a power of two: row r's are the bits from
    r * places up. Lanes are added bit by bit, carries saved (Harley and Seal); then the upper half
    of every row's places is added to the lower one, until a row has one place: that has the digits
    of its count. It is the usual compressor tree, one for each row; drawn side by side, a simulator
    adds all rows' places at once.
    """
    places = len(lanes[0]) // rows
    # Held at 0 while nothing is counted: the tree below then does not move.
    columns = [[_node(m, enable, lane) for lane in lanes]]
    digits = _compress(m, enable, columns)
    half = places // 2
    while half:
        # Beyond the lower half of a row's places there now stands what nobody reads.
        digits = _compress(m, enable, [[digit, digit[half:]] for digit in digits])
        half //= 2
    return [Cat(digit[row * places] for digit in digits) for row in range(rows)]
