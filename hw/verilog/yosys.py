"""The Yosys that writes our Verilog: the one that comes with Amaranth, whatever else is there."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CHOICE, CACHE = "AMARANTH_USE_YOSYS", "XDG_CACHE_HOME"  # environment


@contextmanager
def builtin() -> Iterator[None]:
    """Within it, Amaranth uses its own Yosys, so that everybody gets the same Verilog.

    That one keeps its compiled form in the user's cache folder, and fails where there is none that
    can be made: then it has a temporary one.
    """
    before = dict(os.environ)
    with ExitStack() as stack:
        os.environ[CHOICE] = "builtin"
        if sys.platform == "linux" and not _has_cache():
            folder = tempfile.TemporaryDirectory(prefix="nc64c-yosys-")
            os.environ[CACHE] = stack.enter_context(folder)
        try:
            yield
        finally:
            for name in (CHOICE, CACHE):
                os.environ.pop(name, None)
                if name in before:
                    os.environ[name] = before[name]


def _has_cache() -> bool:
    try:
        base = os.environ.get(CACHE) or Path.home() / ".cache"
        Path(base, "wasmtime").mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # it cannot be made; nobody knows the home
        return False
    return Path(base).is_absolute()
