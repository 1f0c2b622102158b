"""What each change of an import costs: steps that change nothing are not computed again."""

from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest

from sw.convert import steps as module
from sw.convert.decisions import Decisions
from sw.convert.kept.imported import Imported, import_nir
from sw.convert.steps import steps

SPIKES = np.random.default_rng(3).integers(0, 2, (6, 9, 2, 1, 1), dtype=np.uint8)
ONES = np.ones(3)


def _imported(path: Path, weights: list[list[float]]) -> Imported:
    """Two inputs, three neurons, two outputs that integrate."""
    nodes = {
        "input": nir.Input(np.array([2])),
        "first": nir.Linear(weight=np.array(weights)),
        "fires": nir.IF(r=ONES, v_threshold=2 * ONES, v_reset=0 * ONES),
        "last": nir.Linear(weight=np.ones((2, 3))),
        "output": nir.Output(np.array([2])),
    }
    graph = nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False)
    nir.write(path / "a.nir", graph)
    return import_nir(path / "a.nir", Decisions(9, bits=2))


def _calls(monkeypatch: pytest.MonkeyPatch, found: Imported) -> int:
    """How often layers ran in floats; what comes of it is what comes of running each step."""
    counted: list[int] = []
    run = module.run_floats

    def counting(*arguments: object) -> module.FloatRun:
        counted.append(1)
        return run(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(module, "run_floats", counting)
        few = steps(found, SPIKES)
        calls = len(counted)
        patched.setattr(module, "is_", lambda one, other: False)
        every = steps(found, SPIKES)
    assert len(counted) - calls == len(every) - 1 == 4  # all but the integers
    for one, other in zip(few, every, strict=True):
        assert one.name == other.name
        assert one.spikes == other.spikes
        assert one.predictions.tolist() == other.predictions.tolist()
    assert sum(few[0].spikes.values()) > 0
    return calls


def test_exact_weights_run_once_in_floats(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only thresholds on their grid are another step."""
    assert _calls(monkeypatch, _imported(tmp_path, [[1, 2], [3, -1], [1, 0]])) == 2


def test_quantised_weights_are_a_step_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = [[1.1, 0.37], [0.9, 0.51], [1.3, 0.77]]
    assert _calls(monkeypatch, _imported(tmp_path, weights)) == 3
