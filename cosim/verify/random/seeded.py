"""A failure again, with its waves: a seed that a test has named, with every signal recorded."""

from pathlib import Path

from cosim.compare.chips import Comparison, compare_image
from cosim.golden.chip import GoldenChip
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL, program_after_program

WAVES = "dump.vcd"  # in the current folder


def replay(seed: int) -> tuple[Comparison, Path]:
    """Runs the random programs of a seed on golden model and RTL; how they compare, and the waves.

    The chip is built flat, so that the waves have every signal of every core.
    """
    steps = program_after_program(seed)
    simulator = build(SMALL, flat=True, waves=True, log=print)
    rtl = RtlChip(simulator).run(steps)
    return compare_image(steps, GoldenChip(SMALL).run(steps), rtl), Path.cwd() / WAVES
