"""Seconds of the stages of some work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Times stages by their names; `seconds` has those that ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start
