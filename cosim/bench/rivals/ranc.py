"""The race with RANC's simulator: cores that send to each other, of two sizes, in all models."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bench.measure.golden import BATCH, BATCHED, ONE, Golden
from cosim.bench.measure.timing import in_turns, load_average, per_tick, ratio, spread
from cosim.bench.rivals import ranc_simulator
from cosim.bench.rivals.ranc_network import draw
from cosim.bench.rivals.ranc_simulator import DEFAULT, OPTIMISED
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from cosim.program.errors import Mismatch
from cosim.program.program import configuration
from cosim.program.stimulus import Step
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from hw.spec import FLIT, FULL_CHIP, MESH_COLUMNS, MESH_ROWS, ChipShape, Region

SMALLER = ChipShape(MESH_COLUMNS, MESH_ROWS, 256, 256)
SHAPES = (SMALLER, FULL_CHIP)
ACTIVITY = 0.1  # share of the neurons that fire in a tick
BEGUN = 16  # ticks after which they do
RTL = "RTL"
TICKS = {RTL: 200, ONE: 20, BATCHED: 4}  # timed of each
RANC_TICKS = {DEFAULT: 8, OPTIMISED: 200}  # of 256 x 256; fewer of larger cores, at least 2
MOST_TICKS = max(*TICKS.values(), *RANC_TICKS.values())


def measure(folder: Path, seed: int, repeats: int) -> dict[str, Any]:
    """Milliseconds per tick and image; `Mismatch` where the output's spikes differ.

    Raises `InputError` for a folder without RANC's sources.
    """
    sources = ranc_simulator.find_sources(folder)
    figures: dict[str, Any] = {
        "activity": ACTIVITY,
        "flags": " ".join(ranc_simulator.FLAGS[OPTIMISED]),
        "load": [load_average()],
    }
    with tempfile.TemporaryDirectory(prefix="nc64c-bench-") as scratch:
        programs = {
            kind: ranc_simulator.build(sources, kind, Path(scratch))
            for kind in (DEFAULT, OPTIMISED)
        }
        figures["sizes"] = [
            _race(Race(shape, seed, programs, Path(scratch)), repeats) for shape in SHAPES
        ]
    figures["load"].append(load_average())
    return figures


class Race:
    """A network in every model, loaded; what its output does is compared in each."""

    def __init__(
        self, shape: ChipShape, seed: int, programs: dict[str, Path], folder: Path
    ) -> None:
        self.network = draw(shape, ACTIVITY, BEGUN + MOST_TICKS + 1, seed)
        self._programs, self._folder = programs, folder
        ranc_simulator.write_network(self.network, folder)
        self._simulator = build(shape)
        self._loading = configuration(self.network.program)
        self.expected = self._expected()

    def measures(self) -> dict[str, Callable[[], float]]:
        """CPU seconds of a tick and image, of each; the models' first run is compared here."""
        ticks = TICKS[RTL]
        self._compare(RTL, self.network.outputs(self._in_rtl(BEGUN), BEGUN))
        return {
            RTL: per_tick(self._in_rtl, BEGUN, BEGUN + ticks),
            ONE: self._golden(ONE, GoldenChip(self.network.shape), 1),
            BATCHED: self._golden(BATCHED, BatchedChip(self.network.shape), BATCH),
            **{kind: self._ranc(kind) for kind in self._programs},
        }

    def _expected(self) -> NDArray[np.bool_]:
        """The output of the golden model, bool [ticks, axons]."""
        ticks = BEGUN + MOST_TICKS
        chip = self._loaded(GoldenChip(self.network.shape))
        return self.network.outputs(chip.run(self.network.steps(ticks)), ticks)

    def _in_rtl(self, ticks: int) -> list[NDArray[np.uint64]]:
        stored = FLIT.get(self._loading, "region") != Region.REGISTER
        load = Step(self._loading[~stored], go=False)
        chip = RtlChip(self._simulator, backdoor=self._loading[stored])
        return chip.run([load, *self.network.steps(ticks)])

    def _golden(
        self, name: str, chip: GoldenChip | BatchedChip, images: int
    ) -> Callable[[], float]:
        """Goes on ticking a chip that has begun."""
        self._loaded(chip).power_up(images)
        began = chip.run_images([self.network.steps(BEGUN)] * images)
        for response in began:
            self._compare(name, self.network.outputs(response, BEGUN))
        given = [self.network.steps(TICKS[name], BEGUN)] * images

        def measure() -> float:
            start = time.process_time()
            chip.run_images(given)
            return (time.process_time() - start) / (TICKS[name] * images)

        return measure

    def _ranc(self, kind: str) -> Callable[[], float]:
        smaller = (SMALLER.axons / self.network.shape.axons) ** 2
        ticks = max(2, min(MOST_TICKS, round(RANC_TICKS[kind] * smaller)))
        return lambda: self._played(kind, BEGUN + ticks)

    def _played(self, kind: str, ticks: int) -> float:
        played = ranc_simulator.play(self._programs[kind], self._folder, ticks, BEGUN)
        self._compare(kind, played.outputs)
        return played.seconds_per_tick

    def _loaded(self, chip: Golden) -> Golden:
        chip.run([Step(self._loading, go=False)])
        return chip

    def _compare(self, name: str, outputs: NDArray[np.bool_]) -> None:
        """Raises `Mismatch` unless the output spiked as in the golden model."""
        wrong = np.argwhere(outputs != self.expected[: len(outputs)])
        if len(wrong):
            tick, axon = wrong[0]
            raise Mismatch(f"{name}: output {axon} differs from the golden model's in tick {tick}")


def _race(race: Race, repeats: int) -> dict[str, Any]:
    measures = race.measures()
    slow = {DEFAULT: measures.pop(DEFAULT)}  # a run of it takes minutes
    taken = in_turns(measures, repeats) | in_turns(slow, 1)
    ms = {name: spread(seconds, 1e3) for name, seconds in taken.items()}
    shape = race.network.shape
    return {
        "neurons": shape.dendrites,
        "axons": shape.axons,
        "cores": shape.cores - 1,
        "output_spikes_per_tick": float(race.expected[BEGUN:].sum(axis=1).mean()),
        "ms_per_tick": ms,
        "times_faster": {
            name: {
                DEFAULT: ms[DEFAULT]["median"] / ms[name]["median"],
                OPTIMISED: ratio(taken[OPTIMISED], taken[name]),
            }
            for name in (RTL, ONE, BATCHED)
        },
    }
