"""Equally good tilings and places: which one is taken is fixed, and said here by hand."""

import random

import pytest

from cosim import placement
from cosim.placement import place, place_alike
from cosim.planes import plane_weights
from cosim.program import core_number, rectangles
from cosim.schedule import _cuts, schedule_network
from cosim.tiling import spans
from hw.spec import ChipShape
from tests.cosim.test_mapper_parts import layer, plan
from tests.helpers.networks import SMALL, Sketch, random_network


# ---------------------------------------------------------------- tilings
@pytest.mark.parametrize("features", [6, 12])
def test_of_equally_many_cores_the_fewest_tiles(features: int) -> None:
    """24 x 8 x 8 inputs are too many for a page, half of them are not. 6 features: 2 halves are 2
    cores. 12: they are 4, and so are 4 quarters of 12 features each."""
    found = plan(layer("conv", features, (24, 8, 8)))
    assert (len(found.tiles), found.cores) == (2, 2 * features // 6)


def test_of_equal_grids_the_one_with_fewer_rows_of_tiles() -> None:
    """Left and right halves, not upper and lower ones, which would do as well."""
    found = plan(layer("conv", 6, (24, 8, 8)))
    assert [(tile.rows, tile.columns) for tile in found.tiles] == [
        ((0, 8), (0, 4)),
        ((0, 8), (4, 8)),
    ]


def test_uneven_parts() -> None:
    """The larger ones are not the first: part p begins at size * p // parts."""
    assert list(spans(7, 3)) == [(0, 2), (2, 4), (4, 7)]
    assert list(spans(5, 4)) == [(0, 1), (1, 2), (2, 3), (3, 5)]
    assert list(spans(2, 1)) == [(0, 2)]


@pytest.mark.parametrize("shape", [ChipShape(2, 2, 128, 64), ChipShape(3, 3, 256, 128)])
def test_streamed_layers_take_the_first_of_the_best_cuts(shape: ChipShape) -> None:
    """The fewest cycles an image; of equals the fewest tiles, then groups, then rows of tiles."""
    deep = (Sketch("conv", 4), Sketch("conv", 6), Sketch("fc", 40), Sketch("fc", 3))
    ties = 0
    for sketches in (SMALL, deep):
        for scheduled in schedule_network(random_network(0, sketches), shape).layers:
            windows = scheduled.windows
            cuts = list(_cuts(scheduled.layer, len(plane_weights(scheduled.layer)), shape))
            cost = [cut.windows.tiles * cut.cycles_per_tick / cut.slots for cut in cuts]
            best = [cut for cut, each in zip(cuts, cost, strict=True) if each == min(cost)]
            ties += len(best) > 1
            fewest = min(cut.windows.tiles for cut in best)
            best = [cut for cut in best if cut.windows.tiles == fewest]
            groups = [sum(map(len, cut.rounds)) for cut in best]
            first = best[groups.index(min(groups))]
            assert (windows.down, windows.across) == (first.windows.down, first.windows.across)
            assert sum(len(part.groups) for part in scheduled.rounds) == min(groups)
    assert ties, "nothing is tied: no test"


# ---------------------------------------------------------------- places
def numbers(*places: tuple[int, int]) -> tuple[int, ...]:
    return tuple(core_number(x, y) for x, y in places)


def test_of_rectangles_equally_near_the_flattest() -> None:
    assert place([[2]], ChipShape(3, 3)) == [[numbers((0, 0), (1, 0))]]
    assert place([[4]], ChipShape(2, 4)) == [[numbers((0, 0), (1, 0), (0, 1), (1, 1))]]


def test_of_places_equally_near_the_smaller_row_then_column() -> None:
    """Four places one hop from (1, 1); and the first places of a small chip."""
    around = placement._take({(1, 0), (0, 1), (2, 1), (1, 2)}, 1, (1.0, 1.0), ChipShape(3, 3))
    assert around == [(1, 0)]
    rest = placement._take({(0, 1), (2, 1), (1, 2)}, 1, (1.0, 1.0), ChipShape(3, 3))
    assert rest == [(0, 1)]
    assert place([[1], [1], [1]], ChipShape(2, 2)) == [
        [numbers((0, 0))],
        [numbers((1, 0))],
        [numbers((1, 1))],
    ]


def test_near_is_by_hops() -> None:
    """(3, 0) is 3 hops from (0, 0), (2, 2) is 4, though it is nearer as the crow flies."""
    taken = placement._take({(3, 0), (2, 2)}, 1, (0.0, 0.0), ChipShape(4, 3))
    assert taken == [(3, 0)]


def test_a_layer_is_near_the_one_before_and_not_near_the_host() -> None:
    """The third layer is beside the second one, though others are free."""
    placed = place([[6], [1], [1]], ChipShape(3, 3))
    assert placed[0] == [numbers((0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1))]
    assert placed[1:] == [[numbers((1, 2))], [numbers((0, 2))]]
    assert placement._take({(0, 0), (3, 3)}, 1, (3.0, 2.0), ChipShape(4, 4)) == [(3, 3)]


def test_alike_places_are_flat_and_row_by_row() -> None:
    shape = ChipShape(4, 4)
    assert place_alike(2, 3, shape) == [
        numbers((0, 0), (1, 0)),
        numbers((2, 0), (3, 0)),
        numbers((0, 1), (1, 1)),
    ]
    assert place_alike(8, 2, shape) == [
        numbers(*((x, y) for y in (0, 1) for x in range(4))),
        numbers(*((x, y) for y in (2, 3) for x in range(4))),
    ]


def test_rectangles_of_a_set_are_the_widest_from_the_north_west_on() -> None:
    corner = frozenset(numbers((0, 0), (1, 0), (0, 1)))
    assert rectangles(corner) == ((0, 0, 1, 0), (0, 1, 0, 1))
    assert rectangles(frozenset(numbers((1, 0), (0, 1)))) == ((1, 0, 1, 0), (0, 1, 0, 1))


@pytest.mark.parametrize("seed", range(20))
def test_rectangles_cover_each_core_once(seed: int) -> None:
    """Or it would get two copies of a spike."""
    rng = random.Random(seed)
    cores = frozenset(number for number in range(64) if rng.random() < 0.6)
    covered = [
        core_number(x, y)
        for x0, y0, x1, y1 in rectangles(cores)
        for y in range(y0, y1 + 1)
        for x in range(x0, x1 + 1)
    ]
    assert sorted(covered) == sorted(cores), f"seed {seed}"
