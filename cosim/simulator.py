"""Verilator builds of the chip behind its test bench, cached by what went into them.

The chip is built as blocks: one Verilated core and one router, used 64 times through
`tile_block.sv`, and the mesh around them. `flat` builds hand everything to Verilator at once
instead; they are for small chips: to show that the blocks change nothing, and to record waves.
"""

import fcntl
import hashlib
import importlib.metadata
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cocotb_tools.config

from cosim.job import PHASE_END
from cosim.verilate import build_tools, cache_folder, verilate
from hw import emit, spec
from hw.spec import ChipShape

HERE = Path(__file__).parent
VERILATE = HERE / "verilate.py"
COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
BENCH_SOURCES = ("tb.sv", "host_ports.cpp", "tile_block.sv", "tile_block.cpp")
# A tick may take as long as one core needs to send all fan-out entries for every neuron.
PATIENCE = 2 * spec.NEURONS << spec.FANOUT_BITS  # cycles without anything at the chip's pins
# What Python reads and writes; everything else stays private, which keeps the model fast.
PUBLIC = ("resume", "refilled", "attention", "cycles", "ticks")


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
    main: Path = COCOTB_MAIN,
    log: Callable[[str], None] | None = None,
) -> Simulator:
    """The simulator of a chip, from the cache or built now.

    A run in which nothing happens at the chip's pins for `patience` cycles is ended: it hangs.
    `main` is the C++ file that drives the model: cocotb's, or another one that does without Python.
    `waves` (flat builds only) records `dump.vcd` in the folder that a run is started from. `log` is
    told of a build. Interrupted, no process and no half-made file stays.
    Raises `InputError` when the C++ compiler, make or perl is missing or the build fails.
    """
    if waves and not flat:
        raise ValueError("waves are recorded by flat builds only")
    tools = build_tools()
    key = _content_hash(shape, flat, waves, patience, main, tools)
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
            _compile(shape, flat, waves, patience, main, work)
            folder.mkdir(exist_ok=True)
            # The executable appears last and at once: what is there is whole.
            (work / "top" / "Vtop").replace(simulator.executable)
        return replace(simulator, build_s=time.monotonic() - start)


def _content_hash(
    shape: ChipShape,
    flat: bool,
    waves: bool,
    patience: int,
    main: Path,
    tools: dict[str, str],
) -> str:
    """What decides how the simulator behaves, as a short hash."""
    digest = hashlib.sha256()
    sources = [*sorted(Path(emit.__file__).parent.glob("*.py")), Path(__file__), VERILATE]
    for path in [*sources, *(HERE / name for name in BENCH_SOURCES), main]:
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


def _compile(
    shape: ChipShape, flat: bool, waves: bool, patience: int, main: Path, work: Path
) -> None:
    libs = cocotb_tools.config.libs_dir
    if flat:
        (work / "nc64c_tile.v").write_text(emit.tile_verilog(shape))
    else:
        (work / f"{emit.CORE_BLOCK}.v").write_text(emit.core_block_verilog(shape))
        (work / f"{emit.ROUTER_BLOCK}.v").write_text(emit.router_block_verilog())
    (work / "nc64c_chip.v").write_text(emit.chip_verilog(shape))
    (work / "tb_ports.svh").write_text(_chip_ports(shape))
    (work / "nc64c_spec.h").write_text(_cpp_header(shape))
    (work / "nc64c_spec.svh").write_text(_sv_header(shape))
    public = [f'public_flat_rw -module "tb" -var "{name}"' for name in PUBLIC]
    (work / "public.vlt").write_text("\n".join(["`verilator_config", *public, ""]))

    tile: list[str | Path] = ["nc64c_tile.v"]
    blocks = () if flat else (emit.CORE_BLOCK, emit.ROUTER_BLOCK)
    for block in blocks:
        verilate(work, block, block, f"V{block}", "-std=c++20", "", [f"{block}.v"])
    if not flat:
        tile = [HERE / "tile_block.sv", HERE / "tile_block.cpp"]
    link = " ".join(str(work / block / f"libV{block}.a") for block in blocks)
    include = " ".join(f"-I{folder}" for folder in (work, *(work / block for block in blocks)))
    verilate(
        work,
        "top",
        "tb",
        "Vtop",
        f"-std=c++20 {include}",
        f"-rdynamic -Wl,-rpath,{libs} -L{libs} -lcocotbvpi_verilator {link}",
        [
            "--exe",
            "--vpi",
            "--timing",
            *(["--trace-vcd"] if waves else []),
            f"-GPATIENCE={patience}",
            f"-I{work}",
            "public.vlt",
            HERE / "tb.sv",
            HERE / "host_ports.cpp",
            "nc64c_chip.v",
            *tile,
            main,
        ],
    )


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
        "LINE_ROWS": spec.LINE_ROWS,
        "LANE": spec.LANE,
        "NEURON_STRIDE": spec.NEURON_STRIDE,
        "COORD_BITS": spec.COORD_BITS,
        "FLIT_BITS": spec.FLIT.width,
        "GO_CYCLES": spec.GO_CYCLES,
        # More than all neurons can send in a tick: whoever sends so much in a phase never stops.
        "MOST_ANSWERS": shape.cores * shape.dendrites * spec.FANOUT_ENTRIES,
        **{f"END_{field.name.upper()}": field.offset for field in PHASE_END},
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
