"""What the import refuses, and what it does about what a file does not say."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.kept.contract import lines
from sw.convert.kept.imported import Imported, import_nir
from sw.convert.quantise import coded

TAKEN = Decisions(timesteps=4, dt=1e-3)


def neuron(kind: type = nir.IF, size: int = 3, **changed: Any) -> Any:
    ones = np.ones(size)
    fields: dict[str, Any] = {"r": ones, "v_threshold": 2 * ones, "v_reset": 0 * ones}
    if kind is nir.LIF:
        fields |= {"tau": 4e-3 * ones, "v_leak": 0 * ones}
    return kind(**(fields | changed))


def chain(*nodes: Any, edges: list[tuple[str, str]] | None = None, size: int = 2) -> Any:
    """Input, nodes named n0, n1 and so on, output."""
    names = ["input", *(f"n{number}" for number in range(len(nodes))), "output"]
    ends = nir.Input(np.array([size])), nir.Output(np.array([3]))
    every = dict(zip(names, (ends[0], *nodes, ends[1]), strict=True))
    pairs = list(pairwise(names))
    return nir.NIRGraph(every, [*pairs, *(edges or [])], type_check=False)


def dense(**changed: Any) -> Any:
    return nir.Linear(**({"weight": np.arange(6.0).reshape(3, 2) - 2} | changed))


def taken(graph: Any, folder: Path, decisions: Decisions = TAKEN) -> Imported:
    nir.write(folder / "graph.nir", graph)
    return import_nir(folder / "graph.nir", decisions)


def square() -> Any:
    return nir.Linear(weight=np.eye(3))


def cuba() -> Any:
    ones = np.ones(3)
    return nir.CubaLIF(tau_syn=ones, tau_mem=ones, r=ones, v_leak=ones, v_threshold=ones)


REFUSED: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: chain(dense(), cuba()), r"node n1 is CubaLIF, which this chip cannot do"),
    (
        lambda: chain(dense(), square(), neuron(), edges=[("n1", "n1")]),
        "n1 -> n1, in which nothing",
    ),
    (
        lambda: chain(dense(), neuron(), square(), neuron(), edges=[("n3", "n2"), ("n3", "n1")]),
        r"n3 -> n2 -> n1 -> n3: only a layer's own spikes .*; a later layer's come too late",
    ),
    (
        lambda: chain(
            *(dense(), neuron(), square(), neuron(), neuron()),
            edges=[("n3", "n2"), ("n2", "n4")],
        ),
        "n2: is part of the cycle of n3|n2 -> n3 -> n2",
    ),
    (
        lambda: chain(
            *(dense(), neuron(), square(), neuron(), square(), neuron()),
            edges=[("n3", "n2"), ("n2", "n4")],
        ),
        "n2: is part of the cycle of n3",
    ),
    (lambda: chain(dense(), neuron(v_reset=np.ones(3))), r"n1 \(IF\): resets to 1"),
    (lambda: chain(dense(), neuron(nir.LIF, tau=np.arange(1.0, 4))), "several time constants"),
    (
        lambda: chain(dense(), neuron(nir.LIF, tau=3e-3 * np.ones(3))),
        "keeps 0.666667 of a membrane",
    ),
    (lambda: chain(dense(), neuron(nir.LIF, tau=1e-4 * np.ones(3))), "must be at most tau"),
    (lambda: chain(dense(), neuron(size=4)), "4 parameters for neurons of shape"),
    (lambda: chain(dense(weight=np.ones((3, 5))), neuron()), "takes 5 inputs, but is given 2"),
    (lambda: chain(dense(weight=np.full((3, 2), np.nan)), neuron()), "weight has NaN"),
    (lambda: chain(dense(weight=np.full((3, 2), "a", "S1")), neuron()), "must be numbers"),
    (lambda: chain(dense(weight=np.ones((4, 2))), neuron(size=4)), r"output: has the shape \[3\]"),
)


@pytest.mark.parametrize(("made", "sentence"), REFUSED)
def test_refused_in_a_sentence(made: Callable[[], Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        taken(made(), tmp_path)
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "graph.nir"
    with pytest.raises(InputError, match=r"cannot read NIR file .*: no such file"):
        import_nir(path, TAKEN)
    taken(chain(dense(), neuron()), tmp_path)
    whole = path.read_bytes()
    for size in (0, 1, 100, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"is not a NIR file, or is truncated|is damaged"):
            import_nir(path, TAKEN)
    path.unlink()
    with h5py.File(path, "w") as file:
        file.create_dataset("node", (1 << 20, 1 << 20), "f8", chunks=(64, 64))  # 8 TiB of nothing
    with pytest.raises(InputError, match="its arrays have 8796093022208 bytes"):
        import_nir(path, TAKEN)


def test_a_leak_that_the_chip_lacks_is_taken_as_the_nearest_where_that_is_said(
    tmp_path: Path,
) -> None:
    graph = chain(dense(), neuron(nir.LIF, tau=3e-3 * np.ones(3)))
    found = taken(graph, tmp_path, Decisions(timesteps=4, dt=1e-3, approximate=True))
    assert found.network.layers[0].leak == 2
    text = "\n".join(lines(found.document))
    assert "CHANGED: leak 0.666667 -> 0.75" in text
    assert found.document["layers"][0]["leak"] == [pytest.approx(2 / 3), 0.75]


def test_whole_weights_are_taken_as_they_are(tmp_path: Path) -> None:
    found = taken(chain(dense(), neuron()), tmp_path)
    layer = found.network.layers[0]
    assert layer.weights.tolist() == [[-2, -1], [0, 1], [2, 3]]
    assert (layer.code, layer.weight_bits) == ("twos", 3)
    assert layer.threshold.tolist() == [2 << layer.fraction_bits] * 3
    assert found.document["layers"][0]["weights"]["largest_error"] == 0


@pytest.mark.parametrize("code", ["odd", "twos"])
@pytest.mark.parametrize("bits", [2, 4, 7])
def test_other_weights_are_the_nearest_codes(code: Any, bits: int) -> None:
    weights = np.random.default_rng(bits).normal(size=(5, 40))
    weights[:, 0] = 0
    found = coded(weights, Decisions(timesteps=1, bits=bits, code=code))
    assert not found.exact
    assert not np.any(found.codes[:, 0])
    low, high = found.unit * found.codes.min(), found.unit * found.codes.max()
    inside = (weights > low) & (weights < high)
    step = found.unit * (2 if code == "odd" else 1)
    error = np.abs(found.codes * found.unit - weights)
    assert error[inside & (weights != 0)].max() <= step / 2 + 1e-9


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"reset": "half"}, "reset 'half': must be zero or subtract"),
        ({"bits": 8}, "bits of code odd: is 8"),
        ({"dt": 0.0}, r"dt 0\.0: must be seconds"),
        ({"inputs": "phase"}, "inputs 'phase': must be one of spikes, direct, rate"),
        ({"timesteps": 0}, "timesteps: is 0"),
    ],
)
def test_decisions_that_cannot_be(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Decisions(**({"timesteps": 4} | changed))


def test_subgraphs_are_laid_flat(tmp_path: Path) -> None:
    inner = nir.NIRGraph(
        {
            "input": nir.Input(np.array([2])),
            "l": dense(),
            "n": neuron(),
            "output": nir.Output(np.array([3])),
        },
        [("input", "l"), ("l", "n"), ("n", "output")],
        type_check=False,
    )
    outer = nir.NIRGraph(
        {"in": nir.Input(np.array([2])), "g": inner, "out": nir.Output(np.array([3]))},
        [("in", "g"), ("g", "out")],
        type_check=False,
    )
    flat, nested = taken(chain(dense(), neuron()), tmp_path), taken(outer, tmp_path)
    first, same = flat.network.layers[0], nested.network.layers[0]
    assert same.name == "g.n"
    assert np.array_equal(first.weights, same.weights)


def test_one_dimension_is_an_image_of_one_row(tmp_path: Path) -> None:
    node = nir.Conv1d(
        input_shape=6,
        weight=np.arange(18.0).reshape(3, 2, 3) - 8,
        stride=2,
        padding=1,
        dilation=1,
        groups=1,
        bias=np.zeros(3),
    )
    graph = nir.NIRGraph(
        {
            "input": nir.Input(np.array([2, 6])),
            "c": node,
            "n": neuron(size=(3, 3)),  # type: ignore[arg-type]
            "f": nir.Flatten(input_type=np.array([3, 3]), start_dim=0),
            "l": nir.Linear(np.ones((3, 9))),
            "output": nir.Output(np.array([3])),
        },
        [("input", "c"), ("c", "n"), ("n", "f"), ("f", "l"), ("l", "output")],
        type_check=False,
    )
    network = taken(graph, tmp_path).network
    assert network.layers[0].output_shape == (3, 1, 3)
    assert network.layers[0].weights[:, :, 0].tolist() == (node.weight).astype(int).tolist()
    assert not network.layers[-1].spiking
