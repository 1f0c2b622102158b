"""Networks of described layers on a resident chip, in every spike."""

from pathlib import Path

import numpy as np
import pytest

from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import Chips
from cosim.golden.runner import GoldenRunner
from cosim.mapping.resident import map_network
from hw.spec import FULL_CHIP
from sw.common.stopwatch import Stopwatch
from sw.integer.fold import fold
from tests.support.descriptions import random_config, with_numbers


@pytest.mark.parametrize("seed", range(16))
def test_resident_through_the_golden_model(seed: int, tmp_path: Path) -> None:
    network = fold(with_numbers(random_config(seed, tmp_path, subtract=seed % 2 == 1), seed))
    pixels = np.random.default_rng(seed).integers(0, 256, size=(3, 1, 8, 8), dtype=np.uint8)
    chips = Chips(GoldenRunner(), None)
    program = map_network(network, FULL_CHIP)
    result = run_resident(program, network, pixels, chips, Stopwatch())
    assert result.mapping_mismatches == 0, f"seed {seed}"
    assert any(sum(each.spikes.values()) for each in result.answers["golden"])
