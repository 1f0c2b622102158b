"""The configuration registers of a core."""

from amaranth import Cat, Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.spec import REGISTERS, Register

# The registers that the blocks of a core see as they are.
DIRECT = [
    which
    for which in Register
    if which not in (Register.CONTROL, Register.LEAK, Register.PLANE_WEIGHT)
]


def shape_of(which: int) -> Shape:
    """The bits that a register is stored in."""
    return Shape(REGISTERS[which].bits, signed=REGISTERS[which].signed)


class Configuration(wiring.Signature):
    """What the registers say, as the blocks of a core use it; each member is a `spec.Register`."""

    def __init__(self) -> None:
        super().__init__(
            {which.name.lower(): Out(shape_of(which)) for which in DIRECT}
            | {
                "reset_mode": Out(spec.ResetMode),
                "leak_shift": Out(spec.LEAK_BITS),
                "leak_enable": Out(1),
                "plane_weights": Out(shape_of(Register.PLANE_WEIGHT)).array(spec.MAX_PLANES),
            }
        )


class Registers(wiring.Component):
    """Written and read back through the memory map.

    Interface attributes
    --------------------
    access : In
        Words of `spec.Region.REGISTER`.
    config : Out
        Their values.
    restart, clear_counters : Out
        High in the cycle in which CONTROL is written so.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "access": In(layouts.MemoryAccess()),
                "config": Out(Configuration()),
                "restart": Out(1),
                "clear_counters": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        stored: dict[int, Signal] = {}

        def register(index: int, name: str) -> Signal:
            stored[index] = Signal(shape_of(index), name=name, init=REGISTERS[index].reset)
            return stored[index]

        for which in DIRECT:
            m.d.comb += getattr(config, which.name.lower()).eq(register(which, which.name.lower()))
        leak = register(Register.LEAK, "leak")
        m.d.comb += Cat(config.leak_shift, config.leak_enable).eq(leak)
        for plane, weight in enumerate(config.plane_weights):
            m.d.comb += weight.eq(register(Register.PLANE_WEIGHT + plane, f"plane_weight_{plane}"))

        access = self.access
        with m.If(access.write & (access.region == spec.Region.REGISTER)):
            with m.Switch(access.offset):
                with m.Case(Register.CONTROL):
                    m.d.comb += Cat(self.restart, self.clear_counters).eq(access.data)
                for index, value in stored.items():
                    with m.Case(index):
                        m.d.sync += value.eq(access.data)
        with m.If(access.read):
            with m.Switch(access.offset):
                for index, value in stored.items():
                    with m.Case(index):
                        m.d.sync += self.access.reply.eq(value)
                with m.Default():
                    m.d.sync += self.access.reply.eq(0)
        return m
