"""NIR graphs with branches and recurrent layers, imported: on a resident chip in every spike."""

from pathlib import Path

import nir
import pytest

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import Chips
from cosim.golden.runner import GoldenRunner
from cosim.mapping.resident import map_network
from hw.spec import FULL_CHIP
from sw.common.stopwatch import Stopwatch
from sw.convert.decisions import Decisions
from sw.convert.kept.imported import import_nir
from tests.support.nir_graphs import DT, TIMESTEPS, Drawn


@pytest.mark.parametrize("seed", range(100, 106))
def test_resident_through_the_golden_model(seed: int, tmp_path: Path) -> None:
    drawn = Drawn(seed, more=True)
    nir.write(tmp_path / "drawn.nir", drawn.graph)
    network = import_nir(tmp_path / "drawn.nir", Decisions(timesteps=TIMESTEPS, dt=DT)).network
    program = map_network(network, FULL_CHIP)
    chips = Chips(GoldenRunner(), None)
    result = run_resident(program, network, drawn.spikes(), chips, Stopwatch())
    assert result.mapping_mismatches == 0, f"seed {seed}"
    assert any(sum(each.spikes.values()) for each in result.answers["golden"])
