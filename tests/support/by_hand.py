"""Cores of few synapses and their spikes, for results that are computed by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from cosim.program.core_image import CoreImage
from cosim.program.program import Program, configuration
from cosim.program.stimulus import Step, control, decode, read, read_membranes
from hw.spec import AXON, FLIT, ChipShape, Control, Kind, Region
from tests.support.chips import Responses, assert_equal

CHIP = ChipShape(2, 2, 64, 64)


def core(weights: Sequence[int] = (1,), **settings: Any) -> CoreImage:
    """Core (0, 0) with one neuron (or as many as `threshold` says), all of its synapses set."""
    threshold = np.array(settings.pop("threshold", [1000]), np.int32)
    fanout = np.array(settings.pop("fanout", []), np.uint32)
    n, pages = len(threshold), settings.get("pages", 1)
    settings = {"x": 0, "y": 0, "trace": True, "planes": len(weights), "neurons": n} | settings
    default: dict[str, Any] = {
        "synapses": np.ones((pages, n, len(weights), CHIP.axons), np.bool_),
        "bias": np.zeros(n, np.int32),
        "fanout_start": np.zeros(n, np.int64),
        "fanout_count": np.full(n, len(fanout), np.int64),
    }
    return CoreImage(
        plane_weights=tuple(weights),
        threshold=threshold,
        fanout=fanout,
        **(default | settings),
    )


def spikes(*axons: int, page: int = 0, x: int = 0, y: int = 0) -> Step:
    """A tick of core (x, y) with spikes on these axons."""
    words = [
        FLIT.pack(kind=Kind.SPIKE, data=AXON.pack(axon=a, page=page), x0=x, y0=y, x1=x, y1=y)
        for a in axons
    ]
    return Step(np.array(words, np.uint64), go=True)


def answers(shape: ChipShape, steps: Sequence[Step]) -> Responses:
    """Of a fresh golden model in numpy; the batched one gives the same."""
    responses = GoldenChip(shape).run(steps)
    assert_equal(responses, BatchedChip(shape).run(steps), "batched golden model")
    return responses


def reading(region: Region, offset: int, count: int) -> Step:
    """Reads words of core (0, 0)."""
    return Step(np.array([read(region, offset, count, x=0, y=0)]), go=False)


def run(cores: CoreImage | Sequence[CoreImage], *ticks: Step) -> tuple[list[Any], list[Any]]:
    """Spikes [tick, core, neuron] and final membranes [core, neuron, value] of a fresh chip."""
    cores = [cores] if isinstance(cores, CoreImage) else cores
    program = Program(CHIP, tuple(cores))
    load = Step(configuration(program), go=False)
    steps = [load, control(CHIP, Control.RESTART), *ticks, read_membranes(program)]
    observed = decode(answers(CHIP, steps))
    return observed.spikes.tolist(), observed.membranes.tolist()


def membrane(image: CoreImage, *ticks: Step) -> int:
    """Of neuron 0 after these ticks."""
    value: int = run(image, *ticks)[1][0][2]
    return value
