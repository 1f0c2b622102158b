"""The mesh router: five ports, buffered, X before Y, one flit a packet, rectangles as multicast."""

from enum import IntEnum

from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import View
from amaranth.lib.wiring import In, Out, connect, flipped

from hw import layouts, spec
from hw.mesh.flit_queue import FlitQueue


class Port(IntEnum):
    """Ports of a router. North is y + 1, east is x + 1; west of column 0 is the host."""

    WEST = 0
    EAST = 1
    SOUTH = 2
    NORTH = 3
    LOCAL = 4


PORTS = len(Port)


def route(port: Port, flit: View, x: Value, y: Value) -> dict[Port, Value]:
    """Where a flit that came in at `port` of router (x, y) goes: for each output, whether.

    X first: a flit spreads along its source's row over the columns of its rectangle; in each of
    them copies turn north and south, and run straight on. No turn leads from Y back to X, so the
    channels' dependencies have no cycle: no deadlock. A HOST flit goes west.
    """
    to_host = flit.kind == spec.Kind.HOST
    to_core = ~to_host
    in_columns = (flit.x0 <= x) & (x <= flit.x1)
    in_rows = (flit.y0 <= y) & (y <= flit.y1)
    along_x = port in (Port.WEST, Port.EAST, Port.LOCAL)
    turns: dict[Port, Value] = {}
    if port in (Port.WEST, Port.LOCAL):
        turns[Port.EAST] = to_core & (flit.x1 > x)
    if port in (Port.EAST, Port.LOCAL):
        turns[Port.WEST] = to_host | (flit.x0 < x)
    reaches = to_core & in_columns if along_x else to_core
    if along_x or port == Port.SOUTH:
        turns[Port.NORTH] = reaches & (flit.y1 > y)
    if along_x or port == Port.NORTH:
        turns[Port.SOUTH] = reaches & (flit.y0 < y)
    turns[Port.LOCAL] = reaches & in_rows
    return turns


def lowest_bit(word: Value) -> Value:
    """`word` with all but its lowest set bit cleared."""
    return (word & (~word + 1))[: len(word)]


class Router(wiring.Component):
    """One router of the mesh.

    A flit waits at the head of its input queue until each of its copies has been granted its
    output; every output takes turns among the inputs. Queues stand on both sides: neither `ready`
    nor `valid` of one link depends on another's within a cycle.

    Interface attributes
    --------------------
    x, y : In
        Where the router is.
    inputs, outputs : In, Out
        Flits, by `Port`.
    idle : Out
        No flit is in the router.
    clear_counters, flits, stalls : In, Out
        `spec.Counter.FLITS` and `spec.Counter.STALLS`.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "x": In(spec.COORD_BITS),
                "y": In(spec.COORD_BITS),
                "inputs": In(layouts.flit_stream()).array(PORTS),
                "outputs": Out(layouts.flit_stream()).array(PORTS),
                "idle": Out(1),
                "clear_counters": In(1),
                "flits": Out(spec.COUNTER_BITS),
                "stalls": Out(spec.COUNTER_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()

        def queues(side: str) -> list[FlitQueue]:
            made = [FlitQueue() for _ in Port]
            for port, queue in zip(Port, made, strict=True):
                m.submodules[f"{side}_{port.name.lower()}"] = queue
            return made

        def per_port(name: str) -> list[Signal]:
            return [Signal(PORTS, name=f"{name}_{port.name.lower()}") for port in Port]

        inputs, outputs = queues("input"), queues("output")
        for port in Port:
            connect(m, flipped(self.inputs[port]), inputs[port].source)
            connect(m, outputs[port].sink, flipped(self.outputs[port]))
        waiting = Signal()
        occupied = Signal()
        m.d.comb += [
            waiting.eq(Cat(queue.sink.valid for queue in inputs).any()),
            occupied.eq(Cat(queue.sink.valid for queue in outputs).any()),
            self.idle.eq(~waiting & ~occupied),
        ]

        # Copies of each head flit that are still to be granted, and that are granted, by output.
        wanted, granted = per_port("wanted"), per_port("granted")
        for port, source in zip(Port, (queue.sink for queue in inputs), strict=True):
            sent = Signal(PORTS, name=f"sent_{port.name.lower()}")
            with m.If(source.valid):
                turns = route(port, source.payload, self.x, self.y)
                m.d.comb += wanted[port].eq(
                    Cat(turns.get(output, Const(0, 1)) for output in Port) & ~sent
                )
                with m.If((wanted[port] & ~granted[port]) == 0):
                    m.d.comb += source.ready.eq(1)
                    m.d.sync += sent.eq(0)
                with m.Else():
                    m.d.sync += sent.eq(sent | granted[port])

        requests, choice, later = per_port("requests"), per_port("choice"), per_port("later")
        stalled = Signal(PORTS)
        with m.If(waiting):
            for output, sink in zip(Port, (queue.source for queue in outputs), strict=True):
                asked, chosen, turn = requests[output], choice[output], later[output]
                m.d.comb += asked.eq(Cat(wanted[port][output] for port in Port))
                with m.If(asked == 0):
                    pass
                with m.Elif(~sink.ready):
                    m.d.comb += stalled[output].eq(1)
                with m.Else():
                    # `turn` are the ports behind the one served last.
                    with m.If((asked & turn) != 0):
                        m.d.comb += chosen.eq(lowest_bit(asked & turn))
                    with m.Else():
                        m.d.comb += chosen.eq(lowest_bit(asked))
                    m.d.comb += sink.valid.eq(1)
                    m.d.sync += turn.eq(~(chosen | (chosen - 1)))
                    with m.Switch(chosen):
                        for port in Port:
                            with m.Case(1 << port):
                                m.d.comb += sink.payload.eq(inputs[port].sink.payload)
        for port in Port:
            m.d.comb += granted[port].eq(Cat(choice[output][port] for output in Port))

        passed = Cat(queue.source.valid for queue in outputs)
        for total, events in ((self.flits, passed), (self.stalls, stalled)):
            with m.If(self.clear_counters):
                m.d.sync += total.eq(0)
            with m.Elif(waiting):
                m.d.sync += total.eq(total + sum(events[port] for port in Port))
        return m
