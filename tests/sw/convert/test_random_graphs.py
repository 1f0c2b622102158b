"""Random NIR graphs of whole numbers: the integer network fires as plain NIR in numpy does."""

from pathlib import Path

import nir
import numpy as np
import pytest

from sw.convert.decisions import Decisions, Fires, ResetKind
from sw.convert.kept.imported import Imported, import_nir
from sw.convert.steps import steps
from sw.integer.inference import run
from tests.support import nir_run
from tests.support.nir_graphs import DT, TIMESTEPS, Drawn

SEEDS = range(24)
MORE = range(100, 130)  # also recurrent layers, shortcuts of stride 2, thresholds by neuron


def imported(drawn: Drawn, folder: Path, **decisions: str) -> Imported:
    path = folder / "drawn.nir"
    nir.write(path, drawn.graph)
    return import_nir(path, Decisions(timesteps=TIMESTEPS, dt=DT, **decisions))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*SEEDS, *MORE])
def test_every_spike_of_every_neuron(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed, more=seed in MORE)
    reset: ResetKind = "subtract" if seed % 2 else "zero"
    fires: Fires = "above" if seed % 4 == 2 else "at"  # of zero: what is subtracted must be exact
    spikes = drawn.spikes()
    network = imported(drawn, tmp_path, reset=reset, fires=fires).network
    assert all(layer.code == "twos" for layer in network.layers)  # all weights exact
    trace = run(network, spikes)
    for image, given in enumerate(spikes):
        expected = nir_run.run(drawn.graph, given, nir_run.Rules(DT, reset, fires))
        assert set(expected) == set(trace.spikes) == set(drawn.neurons())
        for name, fired in expected.items():
            found = trace.spikes[name][:, image].reshape(fired.shape)
            assert np.array_equal(found, fired > 0), f"seed {seed}, {name}"
        last = network.layers[-1]
        counted = trace.membrane[image] >> last.fraction_bits
        assert counted.tolist() == expected["n4"].sum(0).astype(int).tolist()


@pytest.mark.slow
def test_the_graphs_with_more_have_it(tmp_path: Path) -> None:
    layers = [
        layer
        for seed in MORE
        for layer in imported(Drawn(seed, more=True), tmp_path).network.layers
    ]
    recurrent = [layer for layer in layers if layer.recurrent]
    assert sum(layer.geometry is None for layer in recurrent) > 10
    assert sum(layer.geometry is not None for layer in recurrent) > 10
    assert sum(layer.threshold.ndim == 3 for layer in layers) > 10
    shortcuts = [arm for layer in layers for arm in layer.beside if layer.name not in arm.sources]
    assert sum(arm.window is not None and arm.window.rows.stride == 2 for arm in shortcuts) > 10


@pytest.mark.parametrize("seed", [0, 8, 16, *MORE[::5]])
def test_of_whole_numbers_no_step_changes_anything(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed, more=seed in MORE)
    results = steps(imported(drawn, tmp_path), drawn.spikes(4))
    assert [each.name for each in results] == ["file", "leak", "weights", "thresholds", "integer"]
    for each in results[1:]:
        assert each.spikes == results[0].spikes
        assert each.predictions.tolist() == results[0].predictions.tolist()


def test_the_graphs_have_all_kinds_of_nodes_and_fire() -> None:
    kinds: set[str] = set()
    rates = []
    for seed in SEEDS:
        drawn = Drawn(seed)
        kinds |= {type(node).__name__ for node in drawn.graph.nodes.values()}
        found = nir_run.run(drawn.graph, drawn.spikes(1)[0], nir_run.Rules(DT, "zero", "at"))
        rates += [float(fired.mean()) for fired in found.values()]
    wanted = {"Conv2d", "Affine", "Linear", "SumPool2d", "AvgPool2d", "IF", "LIF", "Threshold"}
    assert wanted < kinds
    for seed in MORE:
        drawn = Drawn(seed, more=True)
        found = nir_run.run(drawn.graph, drawn.spikes(1)[0], nir_run.Rules(DT, "zero", "at"))
        rates += [float(fired.mean()) for fired in found.values()]
    assert sum(0.02 < rate < 0.98 for rate in rates) > 0.5 * len(rates)
