"""Tiles, planes, routes and places, each by hand."""

import numpy as np
import pytest

from cosim.mapping.layer.placement import place
from cosim.mapping.layer.routes import Routes, arrivals
from cosim.mapping.layer.tiling import Plan, Seen, Tile, pooled, sites
from cosim.mapping.layer.weight_planes import plane_weights, synapses
from cosim.program.core_image import core_number, core_xy
from cosim.program.program import Rectangle, rectangles
from hw.spec import AXON, FANOUT, FLIT, FULL_CHIP, ChipShape
from sw.common.checks import Shape
from sw.model.config.layer import LayerKind
from tests.support.mapping.layers import layer, plan


# ---------------------------------------------------------------- tiles
@pytest.mark.parametrize(
    ("kind", "features", "input_shape", "expected"),
    [
        # cores, tiles, groups, pages
        ("conv", 32, (16, 8, 8), (11, 1, 11, 1)),  # 1024 axons untiled; 3 channels x 64 a core
        ("conv", 12, (64, 2, 2), (1, 1, 1, 1)),
        ("conv", 51, (64, 4, 4), (4, 4, 1, 1)),  # 2 x 2 outputs and their border: 3 x 3 x 64
        ("conv", 6, (128, 4, 4), (1, 1, 1, 2)),  # 2048 axons; 96 neurons x 10 rows
        ("fc", 204, (1024, 1, 1), (1, 1, 1, 1)),
        ("fc", 205, (1024, 1, 1), (2, 1, 2, 1)),
        ("fc", 25, (128, 8, 8), (1, 1, 1, 8)),
        ("fc", 26, (128, 8, 8), (2, 1, 2, 8)),
        ("fc", 1, (1025, 1, 1), (1, 1, 1, 2)),
        ("fc", 1, (2049, 1, 1), (1, 1, 1, 4)),
    ],
)
def test_plans(
    kind: LayerKind, features: int, input_shape: Shape, expected: tuple[int, int, int, int]
) -> None:
    it = plan(layer(kind, features, input_shape))
    assert (it.cores, len(it.tiles), len(it.groups), it.pages) == expected


@pytest.mark.parametrize("seed", range(20))
def test_plans_are_valid_and_cover_the_layer_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    input_shape = (int(rng.integers(1, 12)), int(rng.integers(1, 12)), int(rng.integers(1, 12)))
    shape = ChipShape(8, 8, int(rng.choice([64, 128])), int(rng.choice([64, 256])))
    it = layer("conv", int(rng.integers(1, 20)), input_shape)
    most = int(rng.integers(1, 60))
    found = plan(it, shape, most)
    covered = np.zeros(it.output_shape, np.int64)
    for tile in found.tiles:
        assert tile.axons(it) <= found.pages * shape.axons
        for group in found.groups:
            here = sites(it, tile, group)
            assert 0 < len(here) <= min(most, shape.dendrites // (5 * found.pages)), seed
            assert len(here) <= found.largest
            covered.flat[here] += 1
    assert (covered == 1).all(), seed


def test_no_plan_has_fewer_cores() -> None:
    """Against all h x w tiles and channel groups, one by one, for the layer of nc64c.md."""
    fewest = min(
        -(-16 // h) * -(-16 // w) * -(-64 // (204 // (h * w)))
        for h in range(1, 17)
        for w in range(1, 17)
        if (min(h + 2, 16)) * (min(w + 2, 16)) * 64 <= 1024 and h * w <= 204
    )
    assert plan(layer("conv", 64, (64, 16, 16))).cores <= fewest


def test_order_of_neurons() -> None:
    it = layer("conv", 4, (1, 4, 6), pool=True)
    tile = Tile((2, 4), (1, 3), (Seen((1, 4), (0, 4)),))
    here = sites(it, tile, (1, 3))
    assert here.tolist() == [24 + 13, 24 + 14, 24 + 19, 24 + 20, 48 + 13, 48 + 14, 48 + 19, 48 + 20]
    assert pooled(it, here).tolist() == [6 + 3, 6 + 4, 6 + 3, 6 + 4, 12 + 3, 12 + 4, 12 + 3, 12 + 4]


# ---------------------------------------------------------------- planes
def test_plane_weights() -> None:
    assert plane_weights(layer("fc", 1, (1, 1, 1))) == (16, 8, 4, 2, -15)


def test_every_code_is_the_sum_of_its_planes() -> None:
    it = layer("fc", 1, (16, 1, 1))
    it.weights[0] = range(-15, 16, 2)
    [tile] = plan(it).tiles
    bits = synapses(plan(it), tile, (0, 1), ChipShape(1, 1, 64, 64))[0, 0]  # [planes, axons]
    assert (np.array(plane_weights(it)) @ bits).tolist() == [*range(-15, 16, 2), *[0] * 48]
    assert not bits[:, 16:].any()  # what is not connected costs nothing


def test_synapses_of_a_tile() -> None:
    """Rows 3 and 4 of a 5 x 4 image: output pixel (y, x) sees inputs one step around it."""
    it = layer("conv", 3, (2, 5, 4))
    shape = ChipShape(1, 1, 64, 64)
    tile = Tile((3, 5), (0, 4), (Seen((2, 5), (0, 4)),))
    found = synapses(Plan(it, plane_weights(it), 1, (tile,), ((1, 3),)), tile, (1, 3), shape)
    weights = np.einsum("npa,p->na", found[0].astype(np.int64), plane_weights(it))
    expected = np.zeros((2, 2, 4, 64), np.int64)
    for channel, y, x, source, down, across in np.ndindex(2, 2, 4, 2, 3, 3):
        row, column = 3 + y + down - 1, x + across - 1
        if 0 <= row < 5 and 0 <= column < 4:
            axon = (source * 3 + row - 2) * 4 + column
            expected[channel, y, x, axon] = it.weights[1 + channel, source, down, across]
    np.testing.assert_array_equal(weights, expected.reshape(16, 64))


# ---------------------------------------------------------------- routes
def test_routes_of_two_tiles() -> None:
    """2 channels of 1 x 4, two tiles that both see columns 1 and 2; the second one in two parts."""
    it = layer("conv", 2, (2, 1, 4))
    tiles = (
        Tile((0, 1), (0, 2), (Seen((0, 1), (0, 3)),)),
        Tile((0, 1), (2, 4), (Seen((0, 1), (1, 4)),)),
    )
    places = [
        [core_number(1, 0), core_number(2, 0)],
        [core_number(0, 1), core_number(1, 2)],
    ]
    planned = Plan(it, plane_weights(it), 1, tiles, ((0, 1), (1, 2)))
    routes = Routes(arrivals(planned, places), FULL_CHIP)
    first, second, third = (1, 0, 2, 0), (0, 1, 0, 1), (1, 2, 1, 2)
    assert _destinations(routes, 0) == [(0, *first)]
    assert _destinations(routes, 2) == [(2, *first), (1, *second), (1, *third)]
    assert _destinations(routes, 7) == [(5, *second), (5, *third)]  # channel 1, column 3
    assert routes.entries(np.array([0, 2, 2, 7])) == 1 + 3 + 2
    inputs = routes.input_map()
    assert inputs.shape == (2, 1, 4)
    sent = inputs.flits(np.arange(8).reshape(2, 1, 4) == 7)
    assert sent.tolist() == [
        FLIT.pack(data=5, **dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True)))
        for corners in (second, third)
    ]


def _destinations(routes: Routes, source: int) -> list[tuple[int, ...]]:
    """Axon and corners of each entry of an input, page 0."""
    words = routes.fan_out(np.array([source]))["fanout"].astype(np.uint64)
    fields = [FANOUT.get(words, name).tolist() for name in ("axon", "x0", "y0", "x1", "y1")]
    assert not FANOUT.get(words, "page").any()
    assert not FANOUT.get(words, "host").any()
    return list(zip(*fields, strict=True))


def test_pooled_neurons_share_their_entries() -> None:
    it = layer("fc", 3, (3000, 1, 1))
    routes = Routes(arrivals(plan(it), [(core_number(4, 4),)]), FULL_CHIP)
    fan_out = routes.fan_out(np.array([2500, 7, 2500, 2500]))
    assert fan_out["fanout_start"].tolist() == [1, 0, 1, 1]
    assert fan_out["fanout_count"].tolist() == [1, 1, 1, 1]
    assert fan_out["fanout"].tolist() == [
        FANOUT.pack(axon=axon, page=page, x0=4, y0=4, x1=4, y1=4)
        for page, axon in ((0, 7), (2, 452))
    ]
    flit = routes.input_map().flits((np.arange(3000) == 2500).reshape(3000, 1, 1))
    assert AXON.get(int(flit[0]), "page") == 2


# ---------------------------------------------------------------- places
def _of(tiles: list[tuple[int, ...]]) -> list[tuple[Rectangle, ...]]:
    return [rectangles(frozenset(tile)) for tile in tiles]


def test_places_are_rectangles_near_the_layer_before() -> None:
    first, second = place([[4], [6, 6]], FULL_CHIP)
    assert _of(first) == [((0, 0, 1, 1),)]
    assert all(len(parts) == 1 for parts in _of(second))
    assert max(x + y for tile in second for x, y in map(core_xy, tile)) <= 7


def test_a_number_without_rectangle_is_split() -> None:
    [[eleven]] = place([[11]], FULL_CHIP)
    assert sorted(_size(part) for part in rectangles(frozenset(eleven))) == [1, 10]


def _size(part: Rectangle) -> int:
    x0, y0, x1, y1 = part
    return (x1 - x0 + 1) * (y1 - y0 + 1)


@pytest.mark.parametrize("seed", range(30))
def test_no_core_is_lost_or_used_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = ChipShape(int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    left, layers = shape.cores, []
    while left:
        count = int(rng.integers(1, left + 1))
        tiles = [count] if rng.random() < 0.5 else [1] * count
        layers.append(tiles)
        left -= count
    placed = place(layers, shape)
    assert [[len(tile) for tile in tiles] for tiles in placed] == layers, seed
    every = sorted(core for tiles in placed for tile in tiles for core in tile)
    assert every == sorted(
        core_number(x, y) for x in range(shape.columns) for y in range(shape.rows)
    )
