#!/usr/bin/env python3
"""Run one random program of tests/cosim/rtl/test_simulation.py again, and record its waves.

usage: .venv/bin/python scripts/waves.py SEED        (writes dump.vcd into the current folder)

SEED is the one that a failure of `test_random_programs_on_a_small_chip` names. The chip is built
flat, so that the waves show every signal of every core (open them with GTKWave or Surfer).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cosim.golden.chip import GoldenChip
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from tests.support.chips import SMALL, assert_equal, program_after_program


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    seed = int(sys.argv[1])
    steps = program_after_program(seed)
    simulator = build(SMALL, flat=True, waves=True, log=print)
    responses = RtlChip(simulator).run(steps)
    print(f"{len(steps)} steps, waves in {Path.cwd() / 'dump.vcd'}")
    try:
        assert_equal(GoldenChip(SMALL).run(steps), responses, f"seed {seed}")
    except AssertionError as difference:
        sys.exit(f"RTL and golden model differ: {difference}")
    print("RTL equals the golden model.")


if __name__ == "__main__":
    main()
