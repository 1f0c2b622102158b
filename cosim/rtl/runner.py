"""The RTL as a runner of jobs."""

from collections.abc import Sequence

from cosim.experiment.levels.results import RtlRun, RunRtl
from cosim.program.program import Program
from cosim.program.stimulus import Phase
from cosim.rtl import simulation
from cosim.rtl.simulator.build import Simulator, build
from hw.spec import ChipShape
from sw.common.progress import Advance


def verilated(shape: ChipShape, processes: int = 1, front_door: bool = False) -> RunRtl:
    """What runs jobs on a chip in RTL; its simulator comes from the cache, or is built now."""
    return runner(build(shape), processes, front_door)


def runner(simulator: Simulator, processes: int, front_door: bool) -> RunRtl:
    """The same of a simulator that is built."""

    def run(program: Program, jobs: Sequence[Sequence[Phase]], advance: Advance) -> RtlRun:
        done = 0

        def count(total: int) -> None:
            nonlocal done
            advance(total - done)
            done = total

        return simulation.run_jobs(
            simulator,
            program,
            jobs,
            processes=processes,
            backdoor=not front_door,
            on_done=count,
        )

    return run
