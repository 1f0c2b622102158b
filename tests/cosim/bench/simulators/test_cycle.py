"""`nc64c bench rtl`: what it counts, on a small chip. What it times is nobody's promise here."""

import pytest

from cosim.bench.measure.workload import WEIGHTS
from cosim.bench.simulators import cycle
from cosim.rtl.simulator.build import build
from cosim.verify.random.programs import SMALL

pytestmark = pytest.mark.rtl


def test_cycles_and_rows_on_a_small_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "FEW", 2)
    monkeypatch.setattr(cycle, "MORE", 6)
    figures = cycle.measure(build(SMALL), activity=0.25, seed=1)
    rows = SMALL.dendrites // len(WEIGHTS) * len(WEIGHTS)
    assert figures["all cores"]["cores"] == SMALL.cores
    assert figures["one core"]["cores"] == 1
    for cost in figures.values():
        assert cost["rows_per_tick"] == rows
        assert cost["cycles_per_tick"] > 32  # spikes come in, one axon a cycle and host port
