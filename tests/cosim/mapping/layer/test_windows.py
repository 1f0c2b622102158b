"""Tiles that are all alike: what each sees, and that cutting and joining keep every pixel."""

import numpy as np
import pytest

from cosim.mapping.layer.windows import Windows, all_windows
from hw.spec import FULL_CHIP, ChipShape
from sw.integer.network import IntegerLayer
from tests.support.networks import Sketch, random_network


def layer_of(channels: int, side: int, features: int = 3) -> IntegerLayer:
    """A convolution of so many channels on side x side pixels."""
    sketches = (Sketch("conv", channels), Sketch("conv", features), Sketch("fc", 2))
    return random_network(0, sketches, input_shape=(1, side, side)).layers[1]


def test_cut_by_hand() -> None:
    """4 x 4 pixels in 2 x 2 tiles: each sees 4 x 4 of the image and a border of nothing."""
    windows = Windows(layer_of(1, 4), 2, 2)
    assert (windows.height, windows.width, windows.tiles, windows.axons) == (2, 2, 4, 16)
    spikes = np.zeros((1, 1, 1, 4, 4), np.bool_)
    spikes[0, 0, 0, 0, 0] = spikes[0, 0, 0, 2, 1] = True
    north_west, north_east, south_west, south_east = windows.cut([spikes])[:, 0].reshape(4, 4, 4)
    assert np.argwhere(north_west).tolist() == [[1, 1], [3, 2]]  # one down, one right
    assert np.argwhere(north_east).tolist() == [[3, 0]]
    assert np.argwhere(south_west).tolist() == [[1, 2]]
    assert np.argwhere(south_east).tolist() == [[1, 0]]


def test_one_tile_in_a_direction_needs_no_border() -> None:
    windows = Windows(layer_of(2, 4), 1, 4)
    assert windows.axons == 2 * 4 * 3
    assert windows.tile.seen[0].rows == (0, 4)
    assert windows.tile.seen[0].columns == (-1, 2)


@pytest.mark.parametrize("seed", range(4))
def test_every_window_is_the_image_around_its_tile(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side, channels = int(rng.choice([4, 6, 7, 8])), int(rng.integers(1, 4))
    spikes = rng.random((2, 3, channels, side, side)) < 0.4
    padded = np.pad(spikes, ((0, 0),) * 3 + ((1, 1), (1, 1)))
    every = list(all_windows(layer_of(channels, side)))
    assert len(every) == len([d for d in range(1, side + 1) if side % d == 0]) ** 2
    for windows in every:
        cut = windows.cut([spikes])
        assert cut.shape == (2 * windows.tiles, 3, windows.axons)
        [seen_here] = windows.tile.seen
        rows = seen_here.rows[1] - seen_here.rows[0]
        columns = seen_here.columns[1] - seen_here.columns[0]
        for number, seen in enumerate(cut):
            image, place = divmod(number, windows.tiles)
            down, across = divmod(place, windows.across)
            y = down * windows.height + seen_here.rows[0] + 1
            x = across * windows.width + seen_here.columns[0] + 1
            expected = padded[image, :, :, y : y + rows, x : x + columns]
            assert np.array_equal(seen, expected.reshape(3, -1)), f"seed {seed}: {windows}"


@pytest.mark.parametrize("seed", range(4))
def test_join_puts_every_tile_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = layer_of(2, 6)
    images = rng.random((2, 3, *layer.output_shape)) < 0.5
    for windows in all_windows(layer):
        tiles = np.zeros((2 * windows.tiles, 3, layer.features, windows.pixels), np.bool_)
        for number in range(len(tiles)):
            image, place = divmod(number, windows.tiles)
            down, across = divmod(place, windows.across)
            rows = slice(down * windows.height, (down + 1) * windows.height)
            columns = slice(across * windows.width, (across + 1) * windows.width)
            part = images[image, :, :, rows, columns]
            tiles[number] = part.reshape(3, layer.features, -1)
        assert np.array_equal(windows.join(tiles), images), f"seed {seed}: {windows}"


def test_pages() -> None:
    windows = Windows(layer_of(60, 4), 4, 4)
    assert windows.axons == 540
    assert windows.pages(FULL_CHIP) == 1
    assert windows.pages(ChipShape(axons=512)) == 2
    assert windows.pages(ChipShape(axons=128)) == 8  # 5 would do, but there are 1, 2, 4 and 8
    assert windows.pages(ChipShape(axons=64)) is None
