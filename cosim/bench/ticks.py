"""One tick of the whole chip, 64 x 1024 x 1024 synapses, in RTL and golden; one layer of PAIBox."""

import importlib.util
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cosim.bench.measure.golden import BATCH, BATCHED, MANY, ONE, TICKS, golden_tick
from cosim.bench.measure.timing import in_turns, load_average, per_tick, ratio, spread
from cosim.bench.measure.workload import Workload, axon_bits, busy
from cosim.golden.batched.chip import BatchedChip
from cosim.golden.chip import GoldenChip
from cosim.program.errors import Mismatch
from cosim.program.program import Program
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator, build
from hw.spec import FULL_CHIP, ChipShape, ResetMode

ONE_BIT = (1,)  # plane weights: a neuron a dendrite row, as in PAIBox
ACTIVITIES = (0.1, 0.5)
# Its matrix product runs along the weights' memory, or across it: numpy's default is across.
PAIBOX, PAIBOX_COLUMNS = "PAIBox, row-major weights", "PAIBox, column-major weights"
ONE_CORE = ChipShape(1, 1)


def measure(seed: int, repeats: int) -> dict[str, Any]:
    """Milliseconds per tick; `Mismatch` when a rival does not compute the same."""
    figures: dict[str, Any] = {"load": [load_average()]}
    figures["chip"] = [_whole_chip(activity, seed, repeats) for activity in ACTIVITIES]
    figures["layer"] = _layer(ACTIVITIES[0], seed, repeats)
    figures["load"].append(load_average())
    return figures


def _whole_chip(activity: float, seed: int, repeats: int) -> dict[str, Any]:
    workload = busy(FULL_CHIP, FULL_CHIP.cores, activity, seed, ONE_BIT)
    one, many = golden_tick(GoldenChip(), workload, 1), golden_tick(GoldenChip(), workload, BATCH)
    rtl = per_tick(_in_rtl(build(), workload), 2, 22)
    batched = golden_tick(BatchedChip(), workload, BATCH)
    taken = in_turns({"RTL": rtl, ONE: one, MANY: many, BATCHED: batched}, repeats)
    return {
        "activity": activity,
        "ms_per_tick": {name: spread(seconds, 1e3) for name, seconds in taken.items()},
        "rtl_over": {name: ratio(taken["RTL"], taken[name]) for name in (ONE, MANY, BATCHED)},
    }


def _in_rtl(simulator: Simulator, workload: Workload) -> Callable[[int], object]:
    def run(ticks: int) -> object:
        given = workload.input(ticks)
        return RtlChip(simulator, backdoor=given.backdoor).run(given.steps)

    return run


def _layer(activity: float, seed: int, repeats: int) -> dict[str, Any]:
    """One core's 1024 x 1024 synapses in the golden model and in PAIBox."""
    workload = integrate_and_fire(busy(ONE_CORE, 1, activity, seed, ONE_BIT))
    measures = {
        ONE: golden_tick(GoldenChip(ONE_CORE), workload, 1),
        MANY: golden_tick(GoldenChip(ONE_CORE), workload, BATCH),
        BATCHED: golden_tick(BatchedChip(ONE_CORE), workload, BATCH),
    }
    skipped = None
    if importlib.util.find_spec("paibox") is None:
        skipped = "PAIBox is not installed (`pip install paibox`), so it was left out."
    else:
        measures[PAIBOX] = _paibox(workload, "C")
        measures[PAIBOX_COLUMNS] = _paibox(workload, "F")
    taken = in_turns(measures, repeats)
    figures: dict[str, Any] = {
        "activity": activity,
        "ms_per_tick": {name: spread(seconds, 1e3) for name, seconds in taken.items()},
    }
    if skipped is not None:
        return figures | {"skipped": skipped}
    return figures | {
        "times_faster": {
            name: {rival: ratio(taken[rival], taken[name]) for rival in (PAIBOX, PAIBOX_COLUMNS)}
            for name in (ONE, MANY, BATCHED)
        }
    }


def integrate_and_fire(workload: Workload) -> Workload:
    """The same with neurons that do not leak, fire every few ticks, and subtract the threshold."""
    (core,) = workload.program.cores
    spikes = int(axon_bits(workload).sum())
    threshold = np.full(core.neurons, max(1, 3 * spikes // 2), np.int32)
    neurons = replace(core, leak=None, threshold=threshold, reset=ResetMode.SUBTRACT)
    return replace(workload, program=Program(workload.program.shape, (neurons,)))


def _paibox(workload: Workload, order: Literal["C", "F"]) -> Callable[[], float]:
    """Measures CPU seconds per tick of PAIBox, after its membranes were compared with golden's."""
    import paibox

    (core,) = workload.program.cores
    axons = axon_bits(workload)
    weights = np.array(core.synapses[0, :, 0, :].T, order=order)  # bool [axons, neurons]

    class Layer(paibox.Network):  # type: ignore[misc]  # without types
        def __init__(self) -> None:
            super().__init__()
            self.axons = paibox.InputProj(input=axons, shape_out=(len(axons),))
            self.neurons = paibox.IF((core.neurons,), threshold=int(core.threshold[0]))
            self.synapses = paibox.FullConn(
                self.axons, self.neurons, weights, conn_type=paibox.SynConnType.All2All
            )
            self.voltage = paibox.Probe(self.neurons, "voltage")

    layer = Layer()
    simulator = paibox.Simulator(layer)
    simulator.run(TICKS)
    _same(workload, np.asarray(simulator.data[layer.voltage][-1]), TICKS)
    simulator.reset()

    def measure() -> float:
        start = time.process_time()
        simulator.run(TICKS)
        return (time.process_time() - start) / TICKS

    return measure


def _same(workload: Workload, membranes: NDArray[np.integer[Any]], ticks: int) -> None:
    chip = GoldenChip(workload.program.shape)
    expected = workload.membranes(chip.run(workload.input(ticks, backdoor=False).steps))
    if not np.array_equal(expected[0], membranes):
        raise Mismatch("PAIBox: membranes differ from the golden model's")
