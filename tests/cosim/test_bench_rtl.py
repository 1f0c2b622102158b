"""`nc64c bench rtl`: what it counts, on a small chip. What it times is nobody's promise here."""

import numpy as np
import pytest

from cosim import bench_rtl
from cosim.golden import GoldenChip
from cosim.program import configuration
from cosim.simulator import build
from cosim.stimulus import Phase
from hw.spec import FLIT, Kind
from tests.cosim.chips import SMALL
from tests.cosim.random_programs import read_counters


def test_cycles_and_rows_on_a_small_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_rtl, "FEW", 2)
    monkeypatch.setattr(bench_rtl, "MORE", 6)
    figures = bench_rtl.measure(build(SMALL), activity=0.25, seed=1)
    rows = SMALL.dendrites // bench_rtl.PLANES * bench_rtl.PLANES
    assert figures["all cores"]["cores"] == SMALL.cores
    assert figures["one core"]["cores"] == 1
    for cost in figures.values():
        assert cost["rows_per_tick"] == rows
        # A row a cycle; spikes come in first, one axon a cycle and host port.
        assert rows + 32 < cost["cycles_per_tick"] < rows + 32 + 60


@pytest.mark.parametrize("cores", [1, SMALL.cores])
def test_every_busy_core_gets_every_spike(cores: int) -> None:
    rng = np.random.default_rng(2)
    program = bench_rtl._busy_program(SMALL, cores, rng)
    spikes = bench_rtl._spikes(program, 0.25, rng)
    assert set(FLIT.get(spikes, "kind").tolist()) == {int(Kind.SPIKE)}
    golden = GoldenChip(SMALL)
    counters = read_counters(SMALL)
    golden.run([Phase(configuration(program), go=False)])
    *_, replies = golden.run([Phase(spikes, go=True), counters])
    spikes_in = replies[FLIT.get(replies, "offset") == 4]  # Counter.SPIKES_IN, low word
    expected = [32] * cores + [0] * (SMALL.cores - cores)
    assert sorted(FLIT.get(spikes_in, "data").tolist(), reverse=True) == expected
