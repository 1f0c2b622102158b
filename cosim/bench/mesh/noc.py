"""The mesh under load: latency and throughput of 8 x 8 Verilated routers, without cores.

The method is the usual one (Dally and Towles, Principles and Practices of Interconnection Networks,
chapter 23): sources with queues without end, a warm-up, flits of a window of cycles measured, and
the load kept up until they have come out.
"""

import shutil
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

import numpy as np

from cosim.bench.measure.timing import load_average
from cosim.bench.mesh.traffic import PATTERNS, Matrix, bound, mean_hops
from cosim.program.errors import Mismatch, SimulationError
from cosim.rtl import environment
from cosim.rtl.simulator import runtime
from cosim.rtl.simulator.verilate import Block, scratch, verilate
from hw.spec import FLIT, MESH_COLUMNS, MESH_ROWS, Kind
from hw.verilog import export

MAIN = Path(__file__).with_name("noc.cpp")
FRACTIONS = (  # of the bound
    *(0.02, 0.2, 0.4, 0.5, 0.55, 0.6, 0.625, 0.65, 0.675, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    *(1.0, 1.1, 1.3),
)
OVERLOAD = 1.0  # flits per cycle and node: every source always has one
SATURATED = 3.0  # times the latency at zero load
WARM_UP, CYCLES = 1000, 4000
FAILED = 1  # exit code of noc.cpp when a flit gets lost or astray


class Point(TypedDict):
    """The mesh at one offered load; loads in flits per cycle and sending node, latency in cycles.

    Latencies are None where not all measured flits came out in time: their queues grow for ever.
    """

    offered: float
    accepted: float
    mean_latency: float | None
    p99_latency: int | None
    stalls: float


class Pattern(TypedDict):
    """A pattern's curve, the bound that links set, and where latency is three times the least."""

    points: list[Point]
    bound: float
    mean_routers: float
    zero_load_latency: float
    saturation: float
    of_bound: float
    accepted_overloaded: float


class Noc(TypedDict):
    """All patterns."""

    warm_up: int
    cycles: int
    seed: int
    patterns: dict[str, Pattern]
    load: list[float]


def measure(seed: int, warm_up: int = WARM_UP, cycles: int = CYCLES) -> Noc:
    """All patterns on the full mesh.

    Raises `InputError` when the routers cannot be built, `Mismatch` when flits get lost or come out
    where they should not, `SimulationError` when the program ends early.
    """
    before = load_average()
    with scratch() as folder:
        program = build_mesh(folder)
        patterns = {
            name: _pattern(program, make(), seed, warm_up, cycles)
            for name, make in PATTERNS.items()
        }
    load = [before, load_average()]
    return Noc(warm_up=warm_up, cycles=cycles, seed=seed, patterns=patterns, load=load)


def build_mesh(folder: Path) -> Path:
    """The routers of the mesh behind noc.cpp, built in `folder` (a `scratch` folder)."""
    shutil.copyfile(MAIN, folder / MAIN.name)
    (folder / "nc64c_router.v").write_text(export.router_verilog())
    (folder / "nc64c_spec.h").write_text(_header())
    arguments = ("--exe", "nc64c_router.v", folder / MAIN.name)
    flags = (f"-I{folder}", str(runtime.library(folder)))
    verilate(folder, Block("nc64c_router", export.ROUTER_MODULE, arguments, *flags))
    return folder / "nc64c_router" / "Vnc64c_router"


def run(
    program: Path, matrix: Matrix, loads: list[float], seed: int, warm_up: int, cycles: int
) -> list[Point]:
    """The mesh at each of these offered loads."""
    with tempfile.NamedTemporaryFile(prefix="nc64c-traffic-") as file:
        file.write(np.cumsum(matrix, axis=1).tobytes())
        file.flush()
        command = [str(program), file.name, *map(str, (seed, warm_up, cycles)), *map(repr, loads)]
        done = subprocess.run(
            command, env=environment.clean(), capture_output=True, text=True, check=False
        )
    if done.returncode == FAILED:
        raise Mismatch(f"the mesh of routers: {done.stderr.strip()}")
    if done.returncode:
        how = environment.ending(done.returncode)
        raise SimulationError(f"the mesh of routers ended early, {how}: {done.stderr.strip()}")
    return [_point(line) for line in done.stdout.splitlines()]


def _point(line: str) -> Point:
    offered, accepted, made, came, mean, tail, stalls = line.split()
    whole = made == came != "0"
    return Point(
        offered=float(offered),
        accepted=float(accepted),
        mean_latency=float(mean) if whole else None,
        p99_latency=int(tail) if whole else None,
        stalls=float(stalls),
    )


def _pattern(program: Path, matrix: Matrix, seed: int, warm_up: int, cycles: int) -> Pattern:
    most = bound(matrix)
    loads = [round(most * fraction, 6) for fraction in FRACTIONS if most * fraction < OVERLOAD]
    points = run(program, matrix, [*loads, OVERLOAD], seed, warm_up, cycles)
    least = points[0]["mean_latency"]
    if least is None:
        raise Mismatch("the mesh of routers: flits stay in it at almost no load")
    saturation = saturation_load(points)
    return Pattern(
        points=points,
        bound=most,
        mean_routers=mean_hops(matrix),
        zero_load_latency=least,
        saturation=saturation,
        of_bound=saturation / most,
        accepted_overloaded=points[-1]["accepted"],
    )


def saturation_load(points: list[Point]) -> float:
    """The offered load at which latency comes to three times the least, between measured ones.

    Where it jumps past all measure: the last load before that.
    """
    latencies = [point["mean_latency"] for point in points]
    least = latencies[0]
    assert least is not None
    limit = SATURATED * least
    for before, point in pairwise(points):
        below, above = before["mean_latency"], point["mean_latency"]
        if above is None or below is None:
            return before["offered"]
        if above >= limit:
            share = (limit - below) / (above - below)
            return before["offered"] + share * (point["offered"] - before["offered"])
    return points[-1]["offered"]


def _header() -> str:
    numbers = {"COLUMNS": MESH_COLUMNS, "ROWS": MESH_ROWS, "KIND_SPIKE": int(Kind.SPIKE)}
    for field in FLIT:
        numbers[f"FLIT_{field.name.upper()}"] = field.offset
    numbers["FLIT_DATA_BITS"] = FLIT.fields["data"].width
    numbers["COORD_BITS"] = FLIT.fields["x0"].width
    lines = [f"constexpr int {name} = {value};" for name, value in numbers.items()]
    return "\n".join(["#pragma once", "namespace nc64c {", *lines, "}", ""])
