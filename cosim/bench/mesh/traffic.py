"""Traffic on a mesh: who sends to whom, and the most of it that the links could carry."""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hw.spec import MESH_COLUMNS, MESH_ROWS

NODES = MESH_COLUMNS * MESH_ROWS
HOT = (MESH_COLUMNS // 2, MESH_ROWS // 2)  # x, y of the hot spot
HOT_SHARE = 0.1  # of the flits that go there on purpose

Matrix = NDArray[np.float64]  # [from, to]: share of a node's flits; a row of zeros sends nothing


def uniform() -> Matrix:
    """Every node to every node alike, itself included."""
    return np.full((NODES, NODES), 1 / NODES)


def transpose() -> Matrix:
    """Node (x, y) to node (y, x); the diagonal sends nothing."""
    matrix = np.zeros((NODES, NODES))
    for x, y in product(range(MESH_COLUMNS), range(MESH_ROWS)):
        if x != y:
            matrix[_node(x, y), _node(y, x)] = 1.0
    return matrix


def hot_spot() -> Matrix:
    """Uniform, but a tenth of all flits to one node in the middle."""
    matrix = (1 - HOT_SHARE) * uniform()
    matrix[:, _node(*HOT)] += HOT_SHARE
    return matrix


PATTERNS: dict[str, Callable[[], Matrix]] = {
    "uniform random": uniform,
    "transpose": transpose,
    "hot spot": hot_spot,
}


def bound(matrix: Matrix) -> float:
    """Flits per cycle and sending node that no queue or arbiter could exceed, at most 1.

    Flits go along X, then along Y, over links that carry one a cycle, as does the way from a router
    to its core: the busiest of them limits the load that all nodes can have alike.
    """
    links: dict[tuple[int, int], float] = {}
    for source, target in zip(*np.nonzero(matrix), strict=True):
        path = _path(int(source), int(target))
        for link in zip(path, [*path[1:], -1], strict=True):  # -1: out of the mesh
            links[link] = links.get(link, 0.0) + float(matrix[source, target])
    return min(1.0, 1 / max(links.values()))


def mean_hops(matrix: Matrix) -> float:
    """Mean number of routers that a flit passes."""
    pairs = zip(*np.nonzero(matrix), strict=True)
    total = sum(float(matrix[a, b]) * len(_path(int(a), int(b))) for a, b in pairs)
    return total / float(matrix.sum())


def _path(source: int, target: int) -> list[int]:
    """The nodes that a flit passes, both ends included."""
    (x, y), (to_x, to_y) = _place(source), _place(target)
    along_x = range(x, to_x, 1 if to_x > x else -1)
    along_y = range(y, to_y, 1 if to_y > y else -1)
    return [*(_node(i, y) for i in along_x), *(_node(to_x, j) for j in along_y), target]


def _node(x: int, y: int) -> int:
    return y * MESH_COLUMNS + x


def _place(node: int) -> tuple[int, int]:
    return node % MESH_COLUMNS, node // MESH_COLUMNS
