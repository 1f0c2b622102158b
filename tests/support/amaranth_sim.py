"""Running Amaranth components in the Python simulator."""

from collections.abc import Awaitable, Callable
from typing import Any

from amaranth import Elaboratable, Module
from amaranth.sim import Simulator

Testbench = Callable[[Any], Awaitable[None]]


def simulate(design: Elaboratable, testbench: Testbench) -> None:
    """Run `testbench(ctx)` on `design` with a clock in the sync domain."""
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def simulate_combinational(module: Module, testbench: Testbench) -> None:
    """Run `testbench(ctx)` on logic without a clock."""
    simulator = Simulator(module)
    simulator.add_testbench(testbench)
    simulator.run()
