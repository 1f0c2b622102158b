"""RANC's simulator: built from its sources, given a network, timed tick by tick.

Its sources are the user's copy of UA-RCL/RANC. It is built as its CMake file does it, without
optimisation, and once more as fast as the compiler makes it.
"""

import json
import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.bench.rivals.ranc_network import Network
from cosim.program.errors import SimulationError
from cosim.rtl import environment
from cosim.rtl.simulator.verilate import find_compiler
from sw.common.errors import InputError

DEFAULT, OPTIMISED = "RANC, its default build", "RANC, optimised"
FLAGS = {DEFAULT: (), OPTIMISED: ("-O3", "-DNDEBUG", "-march=native")}
MAIN = Path("src", "rancgrid.cpp")
CONFIG = {
    "num_weights": 1,
    "max_tick_offset": 4,
    "neuron_block_trace_verbosity": 0,
    "core_controller_trace_verbosity": 0,
    "scheduler_trace_verbosity": 0,
    "neuron_reset_type": 0,
}
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, eq=False)
class Played:
    """Output spikes, bool [ticks, axons]; CPU seconds of a tick, without those before `since`."""

    outputs: NDArray[np.bool_]
    seconds_per_tick: float


def find_sources(folder: Path) -> Path:
    """The simulator's folder in a copy of RANC's repository, or itself. Raises `InputError`."""
    for place in (folder / "simulator", folder):
        if (place / MAIN).is_file():
            return place
    raise InputError(f"{folder} has no simulator/{MAIN}: give a copy of the repository UA-RCL/RANC")


def build(sources: Path, kind: str, folder: Path) -> Path:
    """The program, compiled into `folder`. Raises `InputError` where it cannot be compiled."""
    program = folder / ("optimised" if FLAGS[kind] else "default")
    compiler = find_compiler()
    files = sorted(str(path) for path in (sources / "src").glob("*.cpp"))
    command = [*compiler, "-std=gnu++11", *FLAGS[kind], f"-I{sources / 'extern'}", *files]
    done = subprocess.run(
        [*command, "-o", str(program)],
        env=environment.clean(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        wrong = done.stderr.strip()[-200:]
        raise InputError(f"{shlex.join(compiler)} could not compile {sources / 'src'}: {wrong}")
    return program


def write_network(network: Network, folder: Path) -> None:
    """`input.json` and `config.json`, as RANC's simulator reads them."""
    shape = network.shape
    sizes = {
        "num_neurons": shape.axons,
        "num_axons": shape.axons,
        "num_cores_x": shape.columns,
        "num_cores_y": shape.rows,
    }
    (folder / "config.json").write_text(json.dumps(sizes | CONFIG))
    packets = [
        [
            {"destination_core": network.xy(core), "destination_axon": axon, "destination_tick": 0}
            for core, axon in each.tolist()
        ]
        for each in network.sent
    ]
    bus = {"coordinates": network.xy(network.output), "num_outputs": shape.axons}
    with (folder / "input.json").open("wb") as file:
        file.write(f'{{"packets": {json.dumps(packets)}, "output_bus": {json.dumps(bus)}'.encode())
        file.write(b', "cores": [')
        for core in range(network.output):
            file.write(b"," if core else b"")
            file.write(_core(network, core))
        file.write(b"]}")


def play(program: Path, given: Path, ticks: int, since: int) -> Played:
    """So many ticks of what `write_network` wrote, timed from tick `since` on.

    Raises `SimulationError` when it ends otherwise, or says anything but that a tick begins.
    """
    with tempfile.TemporaryDirectory(prefix="nc64c-ranc-") as scratch:
        answer = Path(scratch, "output")
        # A tick's output is written when the next one begins, so there is one more.
        files = [str(given / "input.json"), str(answer), str(given / "config.json")]
        command = [str(program), *files, str(ticks + 1)]
        clock: dict[int, float] = {}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env=environment.clean(), text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                words = line.split()
                if words[:1] == ["Tick"] and words[2:] == ["started"]:
                    clock[int(words[1]) - 1] = _cpu_s(process.pid)
                elif words and words[0] != "Starting":
                    process.kill()
                    raise SimulationError(f"RANC's simulator: {line.strip()}")
        if process.returncode:
            how = environment.ending(process.returncode)
            raise SimulationError(f"RANC's simulator ended {how}")
        outputs = np.loadtxt(answer, np.uint8, ndmin=2, encoding="utf-8-sig")[1:].astype(np.bool_)
    return Played(outputs, (clock[ticks] - clock[since]) / (ticks - since))


def _core(network: Network, core: int) -> bytes:
    """A core as JSON; its synapses, most of the text, are not written number by number."""
    x, y = network.xy(core)
    neurons = []
    places = zip(network.core[core].tolist(), network.axon[core].tolist(), strict=True)
    for (to, axon), leak in zip(places, network.leak[core].tolist(), strict=True):
        to_x, to_y = network.xy(to)
        neurons.append(
            {
                "reset_potential": 0,
                "weights": [1],
                "leak": leak,
                "positive_threshold": network.threshold,
                "negative_threshold": -1,
                "destination_core_offset": [to_x - x, to_y - y],
                "destination_axon": axon,
                "destination_tick": 0,
                "current_potential": 0,
                "reset_mode": 1,
            }
        )
    synapses = network.synapses[core]
    digits = np.full((*synapses.shape, 2), ord(","), np.uint8)
    digits[..., 0] = ord("0") + synapses
    rows = b",".join(b"[" + row.tobytes()[:-1] + b"]" for row in digits)
    head = {"axons": [0] * synapses.shape[1], "neurons": neurons, "coordinates": [x, y]}
    return json.dumps(head).encode()[:-1] + b', "connections": [' + rows + b"]}"


def _cpu_s(process: int) -> float:
    """CPU seconds of a process that runs, user and system."""
    fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
