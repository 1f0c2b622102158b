"""Equally good tilings and places: which one is taken is fixed, and said here by hand."""

import random

import pytest

from cosim.mapping.layer import placement
from cosim.mapping.layer.placement import place, place_alike
from cosim.mapping.layer.tiling import spans
from cosim.mapping.streamed import _cuts, schedule_network
from cosim.program.core_image import core_number
from cosim.program.program import rectangles
from hw.spec import ChipShape
from tests.support.mapping.layers import layer, plan
from tests.support.networks import Sketch, random_network


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


def test_a_finer_grid_that_comes_first_does_not_win_a_tie() -> None:
    """1 x 12 tiles are tried before 4 x 2; both take 24 cores."""
    found = plan(layer("conv", 6, (8, 8, 6)), ChipShape(8, 8, 128, 64))
    assert (found.cores, len(found.tiles)) == (24, 8)


@pytest.mark.parametrize(
    ("channels", "features", "shape", "tiles", "groups"),
    [
        # 11 cycles an image: 1 tile by 4 groups, or 2 tiles by 2
        (2, 8, ChipShape(2, 2, 128, 64), 1, 4),
        # 5 cycles an image: 2 groups in 4 slots, or 3 in 3
        (8, 8, ChipShape(3, 3, 128, 128), 1, 2),
    ],
    ids=["tiles", "groups"],
)
def test_of_equally_fast_schedules_the_fewest_tiles_then_groups(
    channels: int, features: int, shape: ChipShape, tiles: int, groups: int
) -> None:
    sketches = (Sketch("conv", channels), Sketch("conv", features), Sketch("fc", 2))
    network = random_network(0, sketches, input_shape=(1, 2, 2))
    found = schedule_network(network, shape).layers[0]
    cuts = list(_cuts(found.layer, 5, shape))
    cost = [cut.windows.tiles * cut.cycles_per_tick / cut.slots for cut in cuts]
    assert cost.count(min(cost)) > 1, "nothing is tied: no test"
    assert found.windows.tiles == tiles
    assert [len(part.groups) for part in found.rounds] == [groups]


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
