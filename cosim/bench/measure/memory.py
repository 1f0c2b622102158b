"""Peak memory of processes, from Linux's own account of them.

A child's `ru_maxrss` will not do: it begins with what its parent held when it forked.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

PROC = Path("/proc")
PERIOD_S = 0.02  # between two looks: the peak itself is kept by the system, until a process ends


def peak_mib(work: Callable[..., object], *arguments: object) -> dict[str, float]:
    """Peak resident memory, in MiB, of a process that does only this work, and of its children.

    `python` is the process, `simulator` the largest of those it starts.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_watched, work, arguments).result()


def _watched(work: Callable[..., object], arguments: tuple[object, ...]) -> dict[str, float]:
    largest, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal largest
        while not done.wait(PERIOD_S):
            largest = max([largest, *(_high_water_mib(child) for child in _children())])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work(*arguments)
    finally:
        done.set()
        watcher.join()
    return {"python": _high_water_mib(os.getpid()), "simulator": largest}


def _children() -> list[int]:
    """Processes that this one has started and that run their own program."""
    own = (PROC / "self" / "exe").readlink()
    found = []
    for listing in (PROC / "self" / "task").glob("*/children"):
        for child in listing.read_text().split():
            try:
                program = (PROC / child / "exe").readlink()
            except OSError:
                continue  # it has just ended
            if program != own:
                found.append(int(child))
    return found


def _high_water_mib(process: int) -> float:
    """VmHWM of a process, 0 for one that has ended."""
    try:
        status = (PROC / str(process) / "status").read_text()
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
