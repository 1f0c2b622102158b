"""Clocks of the benches: what is compared takes turns, and medians are reported.

Programs of one thread are timed in CPU seconds, user and system, of their processes: what other
work on the machine takes of it is left out, but for the caches and memory they share.
"""

import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import TypedDict


class Spread(TypedDict):
    """Median, least and largest of so many repeats."""

    median: float
    least: float
    largest: float
    repeats: int


def spread(values: list[float], scale: float = 1.0) -> Spread:
    """Median, least and largest of `values` times `scale`."""
    scaled = [value * scale for value in values]
    return Spread(
        median=statistics.median(scaled),
        least=min(scaled),
        largest=max(scaled),
        repeats=len(scaled),
    )


def ratio(above: list[float], below: list[float]) -> float:
    """Median of the ratios of two measurements that took turns."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def load_average() -> float:
    """Processes that ran or waited, average of the last minute: these benches' among them."""
    return round(os.getloadavg()[0], 2)


def children_cpu_s() -> float:
    """CPU seconds of the child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def per_tick(run: Callable[[int], object], few: int, more: int) -> Callable[[], float]:
    """Measures a run's CPU seconds per tick: `more` ticks less `few`, in child processes.

    What stays is ticks alone, without the start of the process, loading, and read-back.
    """

    def measure() -> float:
        seconds = []
        for ticks in (few, more):
            start = children_cpu_s()
            run(ticks)
            seconds.append(children_cpu_s() - start)
        return (seconds[1] - seconds[0]) / (more - few)

    return measure


def in_turns(measures: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Each measure so often, in turns; what they gave, by name."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def wall_s(run: Callable[[], object]) -> float:
    """Seconds on the wall that a call took."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
