"""For all tests: one core each for torch and BLAS, as in `cosim.experiment.run`; Ctrl-C; `rtl`.

A test marked `rtl` may build and run a simulator of the chip, which takes half a minute; `make
check`, which is to be quick, leaves those out. Another one that does so fails: none is forgotten.
"""

import signal
from collections.abc import Callable
from typing import Any

import pytest
import torch
from threadpoolctl import threadpool_limits

from cosim.rtl.simulator import verilate

torch.set_num_threads(1)
threadpool_limits(1, user_api="blas")

# A shell that runs the tests in the background may have told them, and so all that they start, to
# ignore Ctrl-C; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-bugs", action="store_true", help="those of bug_list.py")
