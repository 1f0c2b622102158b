"""A network larger than the chip, streamed through it: images per second at each level."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bench.measure.memory import peak_mib
from cosim.bench.measure.timing import children_cpu_s, in_turns, load_average, ratio, spread
from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.experiment.levels.streamed.passes import ReadBack, run_network
from cosim.experiment.levels.streamed.run import READ_BACK
from cosim.golden.batched.runner import BatchedRunner
from cosim.golden.runner import GoldenRunner
from cosim.mapping.host_layers import chip_inputs
from cosim.mapping.streamed import Schedule, schedule_network
from cosim.program.errors import Mismatch
from cosim.program.runner import Runner
from cosim.rtl.runner import verilated
from cosim.rtl.simulator.build import build
from hw.spec import FULL_CHIP
from sw.attack.image_sets import draw_images
from sw.common.errors import InputError
from sw.data.dataset import Images
from sw.integer import inference
from sw.integer.fold import fold
from sw.integer.network import IntegerNetwork
from sw.jobs.worker_setup import use_one_thread
from sw.train import checkpoint

PROCESSES = 2
PATCH = 4  # pixels of a patch's side, in images that are made up
PROBE = 20  # images of the run whose memory is looked at
RTL_1, RTL_2 = "RTL, 1 process", f"RTL, {PROCESSES} processes"
GOLDEN, BATCHED = "golden", "golden batched"
INTEGER, INTEGER_2 = "integer network, 1 process", f"integer network, {PROCESSES} processes"
Work = Callable[[Path, Images], NDArray[np.int64]]


@dataclass(frozen=True)
class Subject:
    """A checkpoint, and images for it; `source` says which."""

    path: Path
    images: Images
    source: str


def prepare(path: Path, data: Path | None, count: int, seed: int) -> Subject:
    """Held-out images where the folder of the data set's files is given, else random patches.

    Raises `InputError` for a checkpoint or files that are not there.
    """
    config = checkpoint.load(path).config
    if data is not None:
        drawn = draw_images(config.dataset, count, seed, data)
        return Subject(path, drawn.images, f"{config.dataset}, held-out images")
    channels, height, width = config.input_shape
    if height % PATCH or width % PATCH:
        raise InputError(f"images of {height} x {width} cannot be made of patches: give --data")
    size = (count, channels, height // PATCH, width // PATCH)
    coarse = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
    images = coarse.repeat(PATCH, axis=2).repeat(PATCH, axis=3)
    return Subject(path, images, f"random patches of {PATCH} x {PATCH} pixels")


def measure(subject: Subject, repeats: int) -> dict[str, Any]:
    """Images per second, on the wall and of CPU time, and the peak memory of the processes.

    Raises `Mismatch` when RTL and golden model, or the network, answer differently.
    """
    use_one_thread()
    build()
    network, _ = _prepared(subject.path)
    loads = [load_average()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        levels = _Levels(subject, pool)
        taken = in_turns(levels.measures(), repeats)
    levels.compare(inference.run(network, subject.images).membrane)
    return {
        "load": [*loads, load_average()],
        "network": f"{network.name} " + "-".join(str(n.features) for n in network.layers),
        "timesteps": network.timesteps,
        "images": len(subject.images),
        "source": subject.source,
        "images_per_s": {
            name: spread([1 / each for each in seconds]) for name, seconds in taken.items()
        },
        "images_per_cpu_s": {
            name: spread([1 / each for each in seconds]) for name, seconds in levels.cpu_s.items()
        },
        "times_one_rtl_process": {
            name: ratio(levels.cpu_s[RTL_1], seconds) for name, seconds in levels.cpu_s.items()
        },
        "two_processes_over_one": ratio(taken[RTL_1], taken[RTL_2]),
        "batched_over_golden": ratio(levels.cpu_s[GOLDEN], levels.cpu_s[BATCHED]),
        "peak_mib": peak_mib(_in_rtl, subject.path, subject.images[:PROBE]),
    }


class _Levels:
    """The levels as measures of seconds on the wall an image; answers and CPU seconds are kept too.

    Each runs in the processes of a pool, which have read and mapped the network before, and loaded
    it into the golden models. Of two processes each has all images, as each of a run's shards has
    a hundred: half of them each would measure twice what a run takes to begin.
    """

    def __init__(self, subject: Subject, pool: ProcessPoolExecutor) -> None:
        self._subject, self._pool = subject, pool
        self.cpu_s: dict[str, list[float]] = {}
        self._answers: dict[str, list[NDArray[np.int64]]] = {}
        for work in (_in_golden, _in_batched, _as_convolutions):
            self._run("", work, PROCESSES, subject.images[:1])
        self.cpu_s.clear()
        self._answers.clear()

    def measures(self) -> dict[str, Callable[[], float]]:
        images = self._subject.images
        return {
            RTL_1: lambda: self._run(RTL_1, _in_rtl, 1, images),
            RTL_2: lambda: self._run(RTL_2, _in_rtl, PROCESSES, images),
            GOLDEN: lambda: self._run(GOLDEN, _in_golden, 1, images),
            BATCHED: lambda: self._run(BATCHED, _in_batched, 1, images),
            INTEGER: lambda: self._run(INTEGER, _as_convolutions, 1, images),
            INTEGER_2: lambda: self._run(INTEGER_2, _as_convolutions, PROCESSES, images),
        }

    def compare(self, expected: NDArray[np.int64]) -> None:
        """Raises `Mismatch` unless all levels gave these membranes."""
        for level, answers in self._answers.items():
            if not all(np.array_equal(membranes, expected) for membranes in answers):
                raise Mismatch(f"{level}: membranes differ from the integer network's")

    def _run(self, level: str, work: Work, processes: int, images: Images) -> float:
        start = time.perf_counter()
        same = [repeat(each, processes) for each in (work, self._subject.path, images)]
        parts = list(self._pool.map(_timed, *same))
        seconds = time.perf_counter() - start
        shown = processes * len(images)
        self._answers[level] = [membranes for membranes, _ in parts]
        self.cpu_s.setdefault(level, []).append(sum(cpu for _, cpu in parts) / shown)
        return seconds / shown


def _timed(work: Work, path: Path, images: Images) -> tuple[NDArray[np.int64], float]:
    """What the work gives, and the CPU seconds of this process and its children."""
    start = time.process_time() + children_cpu_s()
    membranes = work(path, images)
    return membranes, time.process_time() + children_cpu_s() - start


@lru_cache(maxsize=1)
def _prepared(path: Path) -> tuple[IntegerNetwork, Schedule]:
    """A checkpoint's network, and its schedule on the full chip."""
    network = fold(checkpoint.load(path).quantised_network)
    return network, schedule_network(network, FULL_CHIP)


@lru_cache(maxsize=1)
def _golden() -> GoldenRunner:
    return GoldenRunner()


@lru_cache(maxsize=1)
def _batched() -> BatchedRunner:
    return BatchedRunner()


def _as_convolutions(path: Path, images: Images) -> NDArray[np.int64]:
    """The output layer's membranes, int64 [images, classes], of the network without a chip."""
    use_one_thread()
    membranes: NDArray[np.int64] = inference.run(_prepared(path)[0], images).membrane
    return membranes


def _in_rtl(path: Path, images: Images) -> NDArray[np.int64]:
    """The same in RTL, one simulator process at a time."""
    return _streamed(path, images, verilated(FULL_CHIP))


def _in_golden(path: Path, images: Images) -> NDArray[np.int64]:
    """The same of the golden model."""
    return _streamed(path, images, _golden())


def _in_batched(path: Path, images: Images) -> NDArray[np.int64]:
    """The same of the batched one."""
    return _streamed(path, images, _batched())


def _streamed(path: Path, images: Images, runner: Runner) -> NDArray[np.int64]:
    use_one_thread()
    network, schedule = _prepared(path)
    inputs = PackedSpikes.pack(chip_inputs(network, images).swapaxes(0, 1))
    *_, output = run_network(schedule, inputs, runner, ReadBack(READ_BACK, seed=0))
    assert output.membranes is not None
    return output.membranes
