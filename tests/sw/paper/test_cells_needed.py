"""Which cells and networks an experiment needs, and which of them are the same."""

import dataclasses

import pytest

from sw.common.errors import InputError
from sw.paper.cells import EXPERIMENTS, Place, grid, key, trainings
from sw.paper.presets import PRESETS
from sw.paper.worker import images
from tests.sw.paper.conftest import SOURCE

SCALE = dataclasses.replace(PRESETS["cpu"], dataset="digits")
DATA = images(SOURCE)


def test_sizes_of_the_papers_grid() -> None:
    """VGG9: 4 encodings x 4 thresholds x 2 weights x 3 ways; an attack model per threshold."""
    cells = grid("table2", SCALE, *DATA)
    assert len(cells) == 4 * 4 * 2 * 3
    assert len(set(cells.values())) == 4 * 4 * 2 * 3 - 3 * 4 * 2  # two ways are one if not direct
    assert len(trainings(cells)) == 4 * 4 + 4
    assert {cell.target.network.name for cell in cells.values()} == {"vgg9"}


def test_table_1_is_one_threshold_of_vgg5() -> None:
    cells = grid("table1", SCALE, *DATA)
    assert len(cells) == 4 * 2 * 3
    assert len(trainings(cells)) == 4 + 1
    assert {place.theta for place in cells} == {0.4}
    config = next(iter(cells.values())).target.network
    assert (config.name, config.theta_conv, config.theta_fc, config.leak) == ("vgg5", 0.4, 1, 0.5)
    assert [layer.features for layer in config.layers] == [16, 32, 32, 64]


def test_all_of_vgg9_shares_its_cells() -> None:
    names = [name for name in EXPERIMENTS if name != "table1"]
    assert len({tuple(map(key, grid(name, SCALE, *DATA).values())) for name in names}) == 1


def test_ways_of_attack() -> None:
    cells = grid("table1", SCALE, *DATA)

    def cell(encoding: str, way: str) -> tuple[str | None, str | None]:
        found = cells[Place(encoding, 0.4, "float", way)]  # type: ignore[arg-type]
        model = None if found.attacker is None else found.attacker.network.encoding
        assert {attack.eps for attack in found.attacks} == {2, 8, 16}
        return found.attacks[0].gradient, model

    assert cell("direct", "white-box") == ("autograd", None)
    assert cell("direct", "approximated") == ("approximated", None)
    assert cell("direct", "transfer") == ("autograd", "direct")
    assert cell("rate", "white-box") == ("approximated", None)
    assert cell("rate", "transfer") == ("autograd", "direct")


def test_the_attack_model_is_trained_independently() -> None:
    for place, cell in grid("table2", SCALE, *DATA).items():
        assert cell.target.settings.seed == 1
        assert cell.target.network.theta_conv == place.theta
        if cell.attacker:
            assert cell.attacker.settings.seed == 2
            assert cell.attacker.network.theta_conv == place.theta


def test_networks_that_do_not_fit() -> None:
    with pytest.raises(InputError, match=r"width is 0\.0: must be above 0"):
        grid("table1", dataclasses.replace(SCALE, width=0.0), *DATA)
