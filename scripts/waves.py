#!/usr/bin/env python3
"""Run one random program of tests/cosim/rtl/test_simulation.py again, and record its waves.

usage: .venv/bin/python scripts/waves.py SEED        (writes dump.vcd into the current folder)

SEED is the one that a failure of `test_random_programs_on_a_small_chip` names. The waves show every
signal of every core (open them with GTKWave or Surfer).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from cosim.verify.random.seeded import replay


def main() -> None:
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    found, waves = replay(int(sys.argv[1]))
    print(f"waves in {waves}")
    if found.first is not None:
        sys.exit(f"RTL and golden model differ: {found.first}")
    print("RTL equals the golden model.")


if __name__ == "__main__":
    main()
