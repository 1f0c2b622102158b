"""How cost grows: every mesh and every model is measured, and the document says by how much."""

import pytest

from cosim.bench.document import document
from cosim.bench.measure.golden import BATCHED, ONE
from cosim.bench.measure.timing import spread
from cosim.bench.network import scale
from hw.spec import ChipShape
from tests.support.figures import record


@pytest.mark.rtl
def test_a_mesh_is_measured_in_all_models() -> None:
    found = scale._mesh(ChipShape(2, 1, 64, 64), seed=1, repeats=2)
    assert (found["mesh"], found["cores"]) == ("2 x 1", 2)
    assert {name: each["repeats"] for name, each in found["ms_per_tick"].items()} == {
        scale.RTL: 2,
        ONE: 2,
        BATCHED: 2,
    }


def test_the_document_holds_each_mesh_against_the_one_before() -> None:
    meshes = [
        {"mesh": f"{side} x {side}", "cores": side * side, "ms_per_tick": {"RTL": spread([ms])}}
        for side, ms in ((1, 0.25), (2, 1.0), (4, 8.0))
    ]
    images = [{"images": 4, "times_faster": 3.0, "ms_per_tick": spread([0.5])}]
    figures = {"activity": 0.1, "load": [0.0, 0.0], "cores": meshes, "images": images}
    text = document.render(record(scale=figures), None)
    assert "| 1 x 1 | - | 0.250 |" in text
    assert "| 2 x 2 | 4.00 | 1.00 |" in text
    assert "| 4 x 4 | 8.00 | 8.00 |" in text
    assert "| 4 | 3.00 | 0.500 |" in text
