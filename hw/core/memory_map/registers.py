"""The configuration registers of a core."""

from amaranth import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw import layouts, spec
from hw.spec import Register


class Configuration(wiring.Signature):
    """What the registers say, as the blocks of a core use it; each member is a `spec.Register`."""

    def __init__(self) -> None:
        super().__init__(
            {
                "planes": Out(range(spec.MAX_PLANES + 1)),
                "page_shift": Out(range(len(spec.PAGE_COUNTS))),
                "neurons": Out(range(spec.NEURONS + 1)),
                "leak_shift": Out(spec.LEAK_BITS),
                "leak_enable": Out(1),
                "reset_mode": Out(spec.ResetMode),
                "noise_mask": Out(spec.LFSR_BITS),
                "seed": Out(spec.LFSR_BITS, init=1),
                "floor": Out(signed(spec.MEMBRANE_BITS)),
                "first_tick": Out(spec.TICK_BITS),
                "last_tick": Out(spec.TICK_BITS),
                "trace": Out(1),
                "plane_weights": Out(signed(spec.PLANE_WEIGHT_BITS)).array(spec.MAX_PLANES),
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

        def register(index: int, value: Signal) -> Signal:
            stored[index] = value
            return value

        def field(name: str, index: int, shape: object, init: int = 0) -> None:
            value = register(index, Signal(shape, name=name, init=init))
            m.d.comb += getattr(config, name).eq(value)

        field("planes", Register.PLANES, range(spec.MAX_PLANES + 1), 1)
        field("page_shift", Register.PAGE_SHIFT, range(len(spec.PAGE_COUNTS)))
        field("neurons", Register.NEURONS, range(spec.NEURONS + 1))
        field("reset_mode", Register.RESET_MODE, 2)
        field("noise_mask", Register.NOISE_MASK, spec.LFSR_BITS)
        field("seed", Register.SEED, spec.LFSR_BITS, 1)
        field("floor", Register.FLOOR, signed(spec.MEMBRANE_BITS), spec.FLOOR_NONE)
        field("first_tick", Register.FIRST_TICK, spec.TICK_BITS)
        field("last_tick", Register.LAST_TICK, spec.TICK_BITS, (1 << spec.TICK_BITS) - 1)
        field("trace", Register.TRACE, 1)
        leak = register(Register.LEAK, Signal(spec.LEAK.width, name="leak"))
        m.d.comb += Cat(config.leak_shift, config.leak_enable).eq(leak)
        for plane in range(spec.MAX_PLANES):
            weight = Signal(signed(spec.PLANE_WEIGHT_BITS), name=f"plane_weight_{plane}")
            register(Register.PLANE_WEIGHT + plane, weight)
            m.d.comb += config.plane_weights[plane].eq(weight)

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
