"""The same ticks in C++ written by hand (limit.cpp): what a simulator could come near to."""

import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.bench.measure.workload import Workload, axon_bits
from cosim.rtl import environment
from cosim.rtl.simulator.verilate import find_compiler
from sw.common.errors import InputError

SOURCE = Path(__file__).with_name("limit.cpp")
FLAGS = ("-std=c++20", "-O3", "-march=native")


def build_limit(folder: Path) -> Path:
    """The program, compiled into `folder`. Raises `InputError` when there is no compiler."""
    program = folder / "limit"
    compiler = find_compiler()
    command = [*compiler, *FLAGS, str(SOURCE), "-o", str(program)]
    done = subprocess.run(
        command,
        env=environment.clean(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise InputError(
            f"{shlex.join(compiler)} could not compile {SOURCE.name}: {done.stderr.strip()[-200:]}"
        )
    return program


def run_limit(program: Path, workload: Workload, ticks: int) -> NDArray[np.int64]:
    """Membranes after so many ticks of the workload, int64 [cores, neurons]."""
    with tempfile.TemporaryDirectory(prefix="nc64c-limit-") as scratch:
        given, answer = Path(scratch, "given"), Path(scratch, "answer")
        given.write_bytes(_words(workload, ticks).tobytes())
        subprocess.run([str(program), str(given), str(answer)], check=True)
        cores = workload.program.cores
        return np.fromfile(answer, np.int64).reshape(len(cores), cores[0].neurons)


def _words(workload: Workload, ticks: int) -> NDArray[np.uint64]:
    cores = workload.program.cores
    first = cores[0]
    assert first.leak is not None
    axons = workload.program.shape.axons
    head = [len(cores), first.neurons, first.planes, axons // 64, first.leak, ticks]
    parts = [
        np.array(head, np.uint64),
        np.array(first.plane_weights, np.int64).view(np.uint64),
        _packed(axon_bits(workload)),
    ]
    for core in cores:
        parts += [
            core.threshold.astype(np.int64).view(np.uint64),
            core.bias.astype(np.int64).view(np.uint64),
            _packed(core.synapses),
        ]
    return np.concatenate(parts)


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bits as 64-bit words, the first one lowest; uint64 [bits / 64]."""
    return np.packbits(bits, axis=-1, bitorder="little").reshape(-1).view(np.uint64)
