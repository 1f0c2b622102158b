"""How cost grows: with the cores of a chip, and with the images that are shown at once."""

from typing import Any

from cosim.bench.measure.golden import BATCH, BATCHED, ONE, golden_tick
from cosim.bench.measure.timing import in_turns, load_average, per_tick, ratio, spread
from cosim.bench.measure.workload import busy
from cosim.bench.simulators.rows import ACTIVITY, through_cocotb
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from hw.spec import FULL_CHIP, ChipShape

RTL = "RTL"
SIDES = (1, 2, 4, 8)  # of a mesh
BATCHES = (1, 4, 16, 64, 256)  # images at once


def measure(seed: int, repeats: int, sides: tuple[int, ...] = SIDES) -> dict[str, Any]:
    """CPU milliseconds of a tick and image; all cores are busy."""
    figures: dict[str, Any] = {"activity": ACTIVITY, "load": [load_average()]}
    figures["cores"] = [_mesh(ChipShape(side, side), seed, repeats) for side in sides]
    figures["images"] = _batches(seed, repeats)
    figures["load"].append(load_average())
    return figures


def _mesh(shape: ChipShape, seed: int, repeats: int) -> dict[str, Any]:
    workload = busy(shape, shape.cores, ACTIVITY, seed)
    few, more = 5, 5 + 6400 // shape.cores  # as many ticks as take about as long on any chip
    measures = {
        RTL: per_tick(through_cocotb(workload), few, more),
        ONE: golden_tick(GoldenChip(shape), workload, 1),
        BATCHED: golden_tick(BatchedChip(shape), workload, BATCH),
    }
    taken = in_turns(measures, repeats)
    return {
        "mesh": f"{shape.columns} x {shape.rows}",
        "cores": shape.cores,
        "ms_per_tick": {name: spread(seconds, 1e3) for name, seconds in taken.items()},
    }


def _batches(seed: int, repeats: int) -> list[dict[str, Any]]:
    """The batched golden model of the whole chip: a tick of one image, by how many go together."""
    workload = busy(FULL_CHIP, FULL_CHIP.cores, ACTIVITY, seed)
    taken = in_turns(
        {str(images): golden_tick(BatchedChip(), workload, images) for images in BATCHES}, repeats
    )
    alone = taken[str(BATCHES[0])]
    return [
        {
            "images": int(images),
            "ms_per_tick": spread(seconds, 1e3),
            "times_faster": ratio(alone, seconds),
        }
        for images, seconds in taken.items()
    ]
