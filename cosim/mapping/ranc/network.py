"""A folder of RANC's files: its cores, what is sent to them, and what their network answers."""

import re
from collections import deque
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc.core_file import RancCore, packet_widths, read_core
from cosim.mapping.ranc.grid import Grid, Wanted, find_grid
from cosim.mapping.ranc.mem_file import number, read_counts, read_words, signed
from hw.spec import MESH_COLUMNS, MESH_ROWS
from sw.common.errors import InputError, reason

CORE_FILE = re.compile(r"(?:csram|tc)_(\d{3})\.mem", re.ASCII)
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RancNetwork:
    """A program of RANC's with its test.

    Attributes:
        cores: by number; without the output core.
        sent: the axon spikes of each tick, rows of core number and axon, int64 [n, 2].
        groups: how many ticks' worth of packets were sent; delays make `sent` longer.
        expected: what the output core gets, axon numbers in ascending order, a group a tick.
        mask: the bits of an axon number that RANC's output has.
    """

    cores: dict[int, RancCore]
    grid: Grid
    sent: tuple[Numbers, ...]
    groups: int
    expected: tuple[Numbers, ...]
    mask: int

    @cached_property
    def latency(self) -> int:
        """Ticks at the start in which no spike at the output can come from what was sent."""
        depth = {int(core): 0 for packets in self.sent for core in packets[:, 0]}
        queue = deque(depth)
        while queue:
            core = queue.popleft()
            image = self.cores.get(core)
            if image is None:
                continue
            for target in set(self.grid.targets(core, image)[image.live].tolist()):
                if target == self.grid.output:
                    return depth[core]
                if target not in depth:
                    depth[target] = depth[core] + 1
                    queue.append(target)
        return 0

    @property
    def a_group_a_tick(self) -> bool:
        """Whether each tick has a group of expected packets; else ticks without any have none."""
        return len(self.expected) == self.groups


def read_network(folder: Path, asked: Wanted) -> RancNetwork:
    """All of a folder. Raises `InputError` with the file, and what would be right there."""
    numbers = _core_numbers(folder)
    cores = {index: read_core(folder, index) for index in sorted(numbers)}
    sizes = {core.axons: core.place.name for core in cores.values()}
    if len(sizes) > 1:
        (a, first), (b, second) = list(sizes.items())[:2]
        raise InputError(f"{folder}: {first} is of {a} axons and {second} of {b}: must be the same")
    grid = find_grid(cores, asked)
    cores.pop(grid.output, None)
    cores = {index: core for index, core in cores.items() if index < grid.columns * grid.rows}
    groups, sent = _sent(folder, grid, next(iter(sizes)))
    mask, expected = _expected(folder)
    return RancNetwork(cores, grid, sent, groups, expected, mask)


def _core_numbers(folder: Path) -> set[int]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise InputError(
            f"cannot read {folder}: {reason(error)}; give a folder of RANC's memory files"
        ) from error
    numbers = {int(match[1]) for name in names if (match := CORE_FILE.fullmatch(name))}
    if not numbers:
        raise InputError(f"{folder} has no csram_000.mem: give a folder of RANC's memory files")
    most = MESH_COLUMNS * MESH_ROWS
    if max(numbers) >= most:
        raise InputError(f"{folder}: a core {max(numbers)}, but this chip has {most} cores")
    return numbers


def _sent(folder: Path, grid: Grid, axons: int) -> tuple[int, tuple[Numbers, ...]]:
    """How many groups of packets are sent, and the spikes of each tick, delays applied."""
    counts = read_counts(folder / "tb_num_inputs.txt")
    path, widths = folder / "tb_input.txt", packet_widths(axons)
    words = read_words(path)
    if words.shape[1] != sum(widths.values()):
        raise InputError(
            f"{path}: words have {words.shape[1]} bits, must have {sum(widths.values())} for "
            f"{axons} axons"
        )
    _check_sum(path, len(words), counts, "tb_num_inputs.txt")
    ends = np.cumsum(list(widths.values()))[:-1]
    x, y, axon, delay = np.split(words, ends, axis=1)
    core = grid.number(signed(x), signed(y))
    wrong = (core < 0) | (core == grid.output) | (number(axon) >= axons)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{path}, word {first + 1}: core ({signed(x)[first]}, {signed(y)[first]}), axon "
            f"{number(axon)[first]}: is no axon of a core in {grid}"
        )
    tick = np.repeat(np.arange(len(counts)), counts) + number(delay)
    last = max(len(counts), int(tick.max()) + 1)
    spikes = np.column_stack([core, number(axon)])
    return len(counts), tuple(np.unique(spikes[tick == t], axis=0) for t in range(last))


def _expected(folder: Path) -> tuple[int, tuple[Numbers, ...]]:
    counts = read_counts(folder / "tb_num_outputs.txt")
    path = folder / "tb_correct.txt"
    words = read_words(path)
    if words.shape[1] > 32:
        raise InputError(f"{path}: words have {words.shape[1]} bits, must have at most 32")
    _check_sum(path, len(words), counts, "tb_num_outputs.txt")
    ends = np.cumsum(counts)[:-1]
    groups = tuple(np.sort(group) for group in np.split(number(words), ends))
    return (1 << words.shape[1]) - 1, groups


def _check_sum(path: Path, words: int, counts: list[int], name: str) -> None:
    if sum(counts) != words:
        raise InputError(
            f"{path}: {words} packets, must be {sum(counts)}, the sum of the counts in {name}"
        )
