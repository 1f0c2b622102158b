"""The golden models under the clock: chips that are loaded, and tick."""

import time
from collections.abc import Callable

from cosim.bench.measure.workload import Workload
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from cosim.program.stimulus import Step

BATCH = 32  # images at once
ONE, MANY = "golden, one image", f"golden, {BATCH} images at once"
BATCHED = f"golden batched, {BATCH} images at once"
TICKS = 20
Golden = GoldenChip | BatchedChip


def golden_tick(chip: Golden, workload: Workload, images: int) -> Callable[[], float]:
    """Measures CPU seconds per tick and image; the chip is loaded now."""
    chip.run([Step(workload.loading, go=False)])
    chip.power_up(images)
    steps = [[Step(workload.spikes, go=True)] * TICKS] * images
    chip.run_images([each[:1] for each in steps])  # the first tick lays out the synapses

    def measure() -> float:
        start = time.process_time()
        chip.run_images(steps)
        return (time.process_time() - start) / (TICKS * images)

    return measure
