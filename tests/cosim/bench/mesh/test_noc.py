"""Traffic on the Verilated routers: what can be said to the cycle, and what the links allow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cosim.bench.document import plot
from cosim.bench.mesh import noc, traffic
from cosim.bench.mesh.noc import Noc, Pattern, Point, saturation_load
from cosim.bench.mesh.traffic import NODES, bound, mean_hops
from cosim.rtl.simulator.verilate import scratch

pytestmark = pytest.mark.rtl

CYCLES_A_ROUTER = 2  # a queue on either side
FAR, LAST = 9, NODES - 1  # node (1, 1) and the opposite corner of node 0


@pytest.fixture(scope="module")
def mesh() -> Iterator[Path]:
    with scratch() as folder:
        yield noc.build_mesh(folder)


def one_way(*ways: tuple[int, int]) -> traffic.Matrix:
    matrix = np.zeros((NODES, NODES))
    for source, target in ways:
        matrix[source, target] = 1.0
    return matrix


@pytest.mark.parametrize(("target", "routers"), [(0, 1), (1, 2), (FAR, 3), (LAST, 15)])
def test_a_lonely_flow_takes_two_cycles_a_router(mesh: Path, target: int, routers: int) -> None:
    matrix = one_way((0, target))
    assert mean_hops(matrix) == routers
    for point in noc.run(mesh, matrix, [0.3, 1.0], seed=1, warm_up=100, cycles=400):
        assert point["mean_latency"] == CYCLES_A_ROUTER * routers
        assert point["p99_latency"] == CYCLES_A_ROUTER * routers
        assert point["stalls"] == 0
    assert point["accepted"] == 1.0  # the link is never idle


def test_two_flows_share_a_link_in_turns(mesh: Path) -> None:
    matrix = one_way((0, 7), (1, 7))
    assert bound(matrix) == 0.5
    half, full = noc.run(mesh, matrix, [0.45, 1.0], seed=2, warm_up=200, cycles=1000)
    assert half["mean_latency"] is not None
    assert full["accepted"] == 0.5
    assert full["mean_latency"] is None  # the queues grow for ever
    assert full["stalls"] > half["stalls"] > 0


def test_the_same_seed_gives_the_same_traffic(mesh: Path) -> None:
    matrix = traffic.uniform()
    first, again = (noc.run(mesh, matrix, [0.2], 3, 100, 300) for _ in range(2))
    assert first == again
    assert first != noc.run(mesh, matrix, [0.2], 4, 100, 300)


def test_bounds_by_hand() -> None:
    assert bound(traffic.uniform()) == pytest.approx(
        0.5
    )  # bisection: 32 nodes, half across, 8 links
    assert bound(traffic.transpose()) == pytest.approx(1 / 7)  # row 7 turns north at one node
    # One flit a cycle leaves at the hot spot: of 64 nodes 10 %, and 1/64 of the rest.
    assert bound(traffic.hot_spot()) == pytest.approx(1 / (64 * (0.1 + 0.9 / 64)))
    assert mean_hops(traffic.uniform()) == pytest.approx(1 + 2 * 21 / 8)
    assert bound(one_way((0, 0))) == 1


def test_patterns_are_shares() -> None:
    for make in traffic.PATTERNS.values():
        rows = make().sum(axis=1)
        assert np.all(np.isclose(rows, 1) | (rows == 0))
    assert np.count_nonzero(traffic.transpose().sum(axis=1)) == NODES - 8


def point(offered: float, latency: float | None) -> Point:
    return Point(
        offered=offered, accepted=offered, mean_latency=latency, p99_latency=None, stalls=0
    )


def test_saturation_lies_between_measured_loads() -> None:
    assert saturation_load([point(0.1, 10), point(0.2, 20), point(0.3, 40)]) == pytest.approx(0.25)
    assert saturation_load([point(0.1, 10), point(0.2, 20), point(0.3, None)]) == 0.2
    assert saturation_load([point(0.1, 10), point(0.2, 12)]) == 0.2


def test_the_picture_is_the_same_for_the_same_figures() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is in the extra plots")
    pattern = Pattern(
        points=[point(0.1, 10), point(0.2, 20), point(0.3, None)],
        bound=0.25,
        mean_routers=5,
        zero_load_latency=10,
        saturation=0.2,
        of_bound=0.8,
        accepted_overloaded=0.2,
    )
    figures = Noc(
        warm_up=1, cycles=2, seed=3, patterns=dict.fromkeys(traffic.PATTERNS, pattern), load=[0.0]
    )
    first = plot.curves(figures)
    assert first == plot.curves(figures)
    assert first.startswith(b"<?xml")
