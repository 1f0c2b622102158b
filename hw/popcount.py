"""How many bits of a wide word are set: a carry-save adder tree."""

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, Signal, Value, ValueLike


def _node(m: Module, value: Value) -> Signal:
    """`value` under a name: each adder's outputs are used more than once."""
    node = Signal(len(value))
    m.d.comb += node.eq(value)
    return node


def _compress(m: Module, columns: list[list[Value]]) -> list[Value]:
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
                half = _node(m, a ^ b)
                column = [*column, _node(m, half ^ c)]
                carries.append(_node(m, (a & b) | (half & c)))
            else:
                column = [_node(m, a ^ b)]
                carries.append(_node(m, a & b))
        left += column
        if carries:
            columns = [[*columns[0], *carries], *columns[1:]] if columns else [carries]
    return left


def popcount(m: Module, enable: ValueLike, lanes: Sequence[Value]) -> Value:
    """The number of set bits of all lanes, 0 while `enable` is low; combinational.

    `lanes` have one width, a power of two. Their words are added bit by bit, carries saved (Harley
    and Seal); what is left is cut in half and added again, until words are single bits: those are
    the digits of the count. It is the usual compressor tree, drawn so that a simulator adds 64
    places at once.
    """
    # Held at 0 while nothing is counted: the tree below then does not move.
    columns = [[_node(m, Mux(enable, lane, 0)) for lane in lanes]]
    while True:
        words = _compress(m, columns)
        half = len(words[0]) // 2
        if half == 0:
            return Cat(words)
        columns = [[word[:half], word[half:]] for word in words]
