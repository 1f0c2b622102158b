"""What a tick of the whole chip costs in each model, as a multiple of the same in a yardstick.

The yardstick is hand-written C++, a loop of AND and popcount (`cosim/bench/simulators/limit.cpp`).
All are CPU seconds and take turns, so a slower processor, or other work on it, is in both.
"""

import tempfile
from pathlib import Path

from cosim.bench.measure.golden import BATCH, BATCHED, ONE, golden_tick
from cosim.bench.measure.timing import in_turns, per_tick, ratio
from cosim.bench.measure.workload import busy
from cosim.bench.rivals.ranc import RTL, Race
from cosim.bench.simulators import limit
from cosim.bench.simulators.rows import ACTIVITY, LIMIT, through_cocotb
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from hw.spec import FULL_CHIP, ChipShape


def measure(seed: int, repeats: int, shape: ChipShape = FULL_CHIP) -> dict[str, float]:
    """Medians by name. Raises `Mismatch` where a model does not do what the others do.

    "host": spikes come from outside, and no neuron fires; "mesh": neurons send to each other.
    """
    workload = busy(shape, shape.cores, ACTIVITY, seed)
    with tempfile.TemporaryDirectory(prefix="nc64c-bench-") as scratch:
        folder = Path(scratch)
        program = limit.build_limit(folder)
        race = Race(shape, seed, {}, folder)
        measures = {
            LIMIT: per_tick(lambda ticks: limit.run_limit(program, workload, ticks), 5, 1005),
            f"host: {RTL}": per_tick(through_cocotb(workload), 5, 105),
            f"host: {ONE}": golden_tick(GoldenChip(shape), workload, 1),
            f"host: {BATCHED}": golden_tick(BatchedChip(shape), workload, BATCH),
            **{f"mesh: {name}": each for name, each in race.measures().items()},
        }
        taken = in_turns(measures, repeats)
    return {name: ratio(taken[name], taken[LIMIT]) for name in measures if name != LIMIT}
