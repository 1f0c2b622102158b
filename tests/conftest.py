"""For all tests: one core each for torch and BLAS, as in `cosim.experiment.run`; Ctrl-C; marks.

What a test draws with no generator of its own does not depend on the tests before it.

A test marked `rtl` may build and run a simulator of the chip, which takes half a minute; `make
check`, which is to be quick, leaves those out. Another one that does so fails: none is forgotten.

The files with the longest tests come first: a long one that begins last would run on one core while
the others have nothing left to do.
"""

import random
import signal
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from cosim.rtl.simulator import verilate

torch.set_num_threads(1)
threadpool_limits(1, user_api="blas")

# A shell that runs the tests in the background may have told them, and so all that they start, to
# ignore Ctrl-C; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

SECONDS = {"lint": 30, "rtl": 20, "slow": 3}
"""Roughly what a test with this mark takes; others take a tenth of a second."""

_MAY_SIMULATE = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """From here on it is asked whether a test may build or start a simulator."""

    def asked(function: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*arguments: Any) -> Any:
            assert config.stash.get(_MAY_SIMULATE, True), "simulators are for tests marked `rtl`"
            return function(*arguments)

        return ask

    verilate.verilate = asked(verilate.verilate)
    from cosim.rtl import simulation  # behind that, for it imports `verilate` in turn

    simulation._start = asked(simulation._start)


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[_MAY_SIMULATE] = item.get_closest_marker("rtl") is not None
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files by what their tests take, the longest first; a file stays whole."""
    cost: defaultdict[Path, float] = defaultdict(float)
    for item in items:
        marks = (SECONDS.get(mark.name, 0.1) for mark in item.iter_markers())
        cost[item.path] += max(marks, default=0.1)
    items.sort(key=lambda item: -cost[item.path])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-bugs", action="store_true", help="those of bug_list.py")
