"""Verilator's runtime, compiled once for all simulators: it is the same in each of them."""

import importlib.metadata
import platform
from pathlib import Path

from cosim.rtl.simulator import cache
from cosim.rtl.simulator.verilate import PLAIN, Block, compiler_version, find_compiler, verilate
from sw.files.sources import ROOT, fingerprint

# What the chip behind its bench needs: DPI for the words at its ports, VPI and time for cocotb.
PARTS = (
    *("verilated", "verilated_threads"),
    *("verilated_dpi", "verilated_timing", "verilated_vpi"),
)
SOURCES = ("runtime.py", "verilate.py")
NAME = "runtime"


def library(work: Path) -> Path:
    """The runtime as an archive to link to, from the cache or compiled now in `work`.

    `work` is a folder of `verilate.scratch`. Raises `InputError` when the cache cannot be used or
    the compiler fails.
    """
    key = _content_key()
    store = cache.Cache(cache.folder(), cache.RUNTIME)
    found = store.take(key)
    if found is None:
        store.check()
        with store.building(key):
            found = store.take(key)  # another process may have compiled it
            if found is None:
                found = store.keep(key, _compile(work))
    link = work / cache.RUNTIME.file  # the cache's own path may be unfit for make
    link.unlink(missing_ok=True)
    link.symlink_to(found)
    return link


def _compile(work: Path) -> Path:
    (work / f"{NAME}.v").write_text(f"module {NAME}(); endmodule\n")
    verilate(work, Block(NAME, NAME, (f"{NAME}.v",), runtime=PARTS), PLAIN)
    return work / NAME / cache.RUNTIME.file


def _content_key() -> str:
    """What decides what is compiled: the sources, the compiler, and the machine."""
    compiler = find_compiler()
    facts = {
        "verilator": importlib.metadata.version("verilator"),
        "compiler": (compiler, compiler_version(compiler)),
        "machine": (platform.system(), platform.machine(), platform.libc_ver()),
    }
    return fingerprint([Path(__file__).with_name(name) for name in SOURCES], facts, ROOT)
