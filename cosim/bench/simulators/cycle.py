"""What a cycle of the RTL costs through cocotb: all cores busy, and all of them asleep but one."""

from dataclasses import asdict, dataclass

from cosim.bench.measure.timing import children_cpu_s
from cosim.bench.measure.workload import busy
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import Simulator

FEW, MORE = 10, 510  # ticks of the two runs whose difference is taken


@dataclass(frozen=True)
class Cost:
    """Marginal cost of a tick, in CPU time; `ns_per_row` is per core and dendrite row.

    `cores` of the chip are busy, with `rows_per_tick` rows each.
    """

    cores: int
    rows_per_tick: int
    cycles_per_tick: float
    ms_per_tick: float
    ns_per_row: float
    ns_per_chip_cycle: float


def measure(simulator: Simulator, activity: float, seed: int) -> dict[str, dict[str, float]]:
    """Costs with all cores busy and with one; `activity` is the share of axons that spike."""
    return {
        "all cores": asdict(_cost(simulator, simulator.shape.cores, activity, seed)),
        "one core": asdict(_cost(simulator, 1, activity, seed)),
    }


def _cost(simulator: Simulator, cores: int, activity: float, seed: int) -> Cost:
    workload = busy(simulator.shape, cores, activity, seed)
    seconds, cycles = [], []
    for ticks in (FEW, MORE):
        given = workload.input(ticks, backdoor=simulator.back_door)
        start = children_cpu_s()
        response = RtlChip(simulator, backdoor=given.backdoor).respond(given.steps)
        seconds.append(children_cpu_s() - start)
        cycles.append(response.cycles)
    per_tick = (seconds[1] - seconds[0]) / (MORE - FEW)
    tick_cycles = (cycles[1] - cycles[0]) / (MORE - FEW)
    return Cost(
        cores=cores,
        rows_per_tick=workload.rows // cores,
        cycles_per_tick=tick_cycles,
        ms_per_tick=per_tick * 1e3,
        ns_per_row=per_tick * 1e9 / workload.rows,
        ns_per_chip_cycle=per_tick * 1e9 / tick_cycles,
    )
