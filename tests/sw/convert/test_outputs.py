"""Outputs that integrate, with and without a leak, and scales on the way: against NIR in numpy."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

from sw.convert.decisions import Decisions
from sw.convert.kept.imported import Imported, import_nir
from sw.integer.inference import run
from tests.support import nir_run

DT, STEPS = 1e-3, 6
ONES = np.ones(4)


def _network(last: Any, folder: Path) -> tuple[Any, Imported]:
    generator = np.random.default_rng(7)
    nodes = {
        "input": nir.Input(np.array([5])),
        "s": nir.Scale(scale=np.array([1.0, 2, 1, -1, 3])),
        "l": nir.Linear(generator.integers(-3, 5, (4, 5)).astype(float)),
        "t": nir.Scale(scale=2 * ONES),
        "n": nir.LIF(
            tau=2 * DT * ONES, r=ONES, v_leak=ONES, v_threshold=6 * ONES, v_reset=0 * ONES
        ),
        "m": nir.Affine(generator.integers(-3, 4, (3, 4)).astype(float), np.array([1.0, 0, -2])),
        **last,
        "output": nir.Output(np.array([3])),
    }
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(pairwise(names)), type_check=False)
    nir.write(folder / "net.nir", graph)
    return graph, import_nir(folder / "net.nir", Decisions(timesteps=STEPS, dt=DT))


@pytest.mark.parametrize("leaking", [False, True])
def test_the_membranes_of_an_output_that_integrates(leaking: bool, tmp_path: Path) -> None:
    three = np.ones(3)
    last = {"o": nir.LI(tau=4 * DT * three, r=three, v_leak=three)} if leaking else {}
    graph, found = _network(last, tmp_path)
    output = found.network.layers[-1]
    assert (output.name, output.spiking) == ("o" if leaking else "m", False)
    assert output.leak == (2 if leaking else None)
    one = found.document["layers"][-1]["weights"]["unit"] / 2**output.fraction_bits
    spikes = (np.random.default_rng(8).random((6, STEPS, 5, 1, 1)) < 0.5).astype(np.uint8)
    trace = run(found.network, spikes)
    fired = 0
    for image, given in enumerate(spikes.reshape(6, STEPS, 5)):
        expected = nir_run.run(graph, given, nir_run.Rules(DT, "zero", "at"))
        assert np.array_equal(trace.spikes["n"][:, image, :, 0, 0], expected["n"] > 0)
        fired += int(expected["n"].sum())
        if leaking:
            membranes = expected["o"][-1]
        else:
            membranes = (expected["n"] @ graph.nodes["m"].weight.T + graph.nodes["m"].bias).sum(0)
        assert np.allclose(trace.membrane[image] * one, membranes, atol=STEPS * one)
    assert 0 < fired < 6 * STEPS * 4
