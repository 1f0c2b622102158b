"""Where RANC's cores stand: the files do not say, but mostly their packets fit one grid only."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc.core_file import RancCore
from hw.spec import MESH_COLUMNS, MESH_ROWS
from sw.common.checks import shown
from sw.common.errors import InputError

LARGEST = f"{MESH_COLUMNS}x{MESH_ROWS}"


@dataclass(frozen=True)
class Grid:
    """Cores in rows, number x + y * columns; `output` is the number of the output core."""

    columns: int
    rows: int
    output: int

    def __str__(self) -> str:
        x, y = self.xy(self.output)
        return f"{self.columns}x{self.rows}, output core ({x}, {y})"

    def xy(self, core: int) -> tuple[int, int]:
        return core % self.columns, core // self.columns

    def targets(self, core: int, image: RancCore) -> NDArray[np.int64]:
        """Number of the core that each neuron sends to, int64 [neurons]; -1: there is none."""
        x, y = self.xy(core)
        return self.number(x + image.dx, y + image.dy)

    def number(self, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the cores at these places; -1 outside."""
        inside = (x >= 0) & (x < self.columns) & (y >= 0) & (y < self.rows)
        return np.where(inside, x + y * self.columns, -1)


@dataclass(frozen=True)
class Wanted:
    """What the user says of the grid; None: find out."""

    size: tuple[int, int] | None = None
    output: tuple[int, int] | None = None


def wanted(size: str | None, output: str | None) -> Wanted:
    """From options such as 4x3 and 0,2. Raises `InputError`."""
    return Wanted(_pair("grid", size, "x", "4x3"), _pair("output core", output, ",", "0,2"))


def find_grid(cores: Mapping[int, RancCore], asked: Wanted) -> Grid:
    """The only grid in which all packets reach a core that does something, or the output core.

    Raises `InputError` when there is none, or more than one.
    """
    if asked.size and asked.output:
        return _given(cores, asked.size, asked.output)
    missing = sorted(set(range(max(cores) + 1)) - set(cores))
    found = [grid for grid in _grids(cores, asked, missing) if _fits(cores, grid)]
    if len(found) == 1:
        return found[0]
    if missing and not found:
        raise InputError(
            f"csram_{missing[0]:03}.mem is missing: only the output core may have no files, and "
            f"core {missing[0]} is none"
        )
    names = "; or ".join(map(str, found[:3]))
    raise InputError(
        f"the packets of {len(cores)} cores fit "
        + (f"several grids ({names})" if found else f"no grid of up to {LARGEST}")
        + ": say which it is by --grid COLUMNSxROWS and --output X,Y"
    )


def _given(cores: Mapping[int, RancCore], size: tuple[int, int], output: tuple[int, int]) -> Grid:
    """The grid that the user names."""
    (columns, rows), (x, y) = size, output
    if not (1 <= columns <= MESH_COLUMNS and 1 <= rows <= MESH_ROWS):
        raise InputError(f"a grid of {columns}x{rows}: must be 1x1 to {LARGEST}, as this chip is")
    if not (x < columns and y < rows):
        raise InputError(f"output core ({x}, {y}): is not in the grid of {columns}x{rows}")
    grid = Grid(columns, rows, x + y * columns)
    for core in range(columns * rows):
        if core not in cores and core != grid.output:
            raise InputError(f"csram_{core:03}.mem is missing: the grid is {grid}")
    return grid


def _grids(cores: Mapping[int, RancCore], asked: Wanted, missing: Sequence[int]) -> Iterator[Grid]:
    """Grids of as many cores; the output core's files may be missing."""
    count = max(cores) + 1
    for columns in range(1, MESH_COLUMNS + 1):
        for rows in range(1, MESH_ROWS + 1):
            size = columns * rows
            if size not in (count, count + 1) or asked.size not in (None, (columns, rows)):
                continue
            hole = [*missing, *([count] if size > count else [])]
            if len(hole) > 1:
                continue
            for output in hole or range(count):
                grid = Grid(columns, rows, output)
                if asked.output in (None, grid.xy(output)):
                    yield grid


def _fits(cores: Mapping[int, RancCore], grid: Grid) -> bool:
    working = {core for core, image in cores.items() if image.live.any()} - {grid.output}
    if grid.output in cores and cores[grid.output].live.any():
        return False
    reached = _union(grid.targets(core, cores[core])[cores[core].live] for core in working)
    return grid.output in reached and reached <= working | {grid.output}


def _union(numbers: Iterable[NDArray[np.int64]]) -> set[int]:
    return {int(each) for some in numbers for each in np.unique(some)}


def _pair(what: str, text: str | None, between: str, example: str) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(rf"(\d{{1,3}}){between}(\d{{1,3}})", text, re.ASCII)
    if match is None:
        raise InputError(f"{what} {shown(text)}: must be like {example}")
    return int(match[1]), int(match[2])
