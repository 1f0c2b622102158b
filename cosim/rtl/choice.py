"""Which RTL runs, and in which simulator: what a user may choose, and the runner of it."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from cosim.program.runner import Runner
from cosim.rtl.design import pins
from cosim.rtl.design.design import Design, Sources, is_whole_chip, read
from cosim.rtl.icarus import icarus
from cosim.rtl.played import Trace
from cosim.rtl.runner import RtlRunner, traced, verilated
from cosim.rtl.simulator.build import build
from hw.spec import ChipShape
from sw.common.errors import InputError

Simulator = Literal["verilator", "icarus"]


@dataclass(frozen=True)
class Choice:
    """RTL and its simulator.

    Attributes:
        design: a user's RTL; None: ours.
        simulator: who runs it.
    """

    design: Design | None = None
    simulator: Simulator = "verilator"

    @property
    def back_door(self) -> bool:
        """Whether memories can be stored at once."""
        fitting = self.design is None or self.design.back_door
        return self.simulator == "verilator" and fitting

    @property
    def settings(self) -> dict[str, Any]:
        """What makes it another one, as JSON has it."""
        design = self.design
        packs = {"packs": True} if design is not None and design.packs else {}
        return {
            "simulator": self.simulator,
            "design": None if design is None else design.digest,
        } | packs

    def __str__(self) -> str:
        of = "our RTL" if self.design is None else f"the {self.design}"
        return f"{of} in {'Verilator' if self.simulator == 'verilator' else 'Icarus Verilog'}"


OURS = Choice()


def choose(sources: Sources | None, simulator: Simulator, shape: ChipShape) -> Choice:
    """A choice whose files are read, and whose pins fit this chip. Raises `InputError`."""
    if simulator == "icarus":
        icarus.check_installed()
    if sources is None:
        return Choice(None, simulator)
    design = read(sources, icarus=simulator == "icarus")
    pins.check(design, shape)
    return Choice(design, simulator)


def prepare(choice: Choice, shape: ChipShape) -> float:
    """Builds the simulator, where one is built and not there yet; the seconds that it took.

    Raises `InputError`.
    """
    return build(shape, design=choice.design).build_s if choice.simulator == "verilator" else 0.0


def recorder_of(choice: Choice, shape: ChipShape, trace: Trace, *, cleared: bool = False) -> Runner:
    """What `runner_of` gives, recording waves.

    Raises `InputError`, also for a user's chip in Verilator.
    """
    if choice.simulator == "icarus":
        return _cleared(icarus.runner(shape, choice.design, trace), choice, cleared)
    if is_whole_chip(choice.design):
        raise InputError(
            "waves of a whole chip of yours: Verilator has none, take --simulator icarus"
        )
    return _cleared(traced(shape, trace, choice.design), choice, cleared)


def runner_of(
    choice: Choice, shape: ChipShape, *, front_door: bool = False, cleared: bool = False
) -> Runner:
    """Runs programs on the chosen RTL; its simulator comes from the cache, or is built now.

    `cleared`: all memories hold 0 to begin with, as a case expects it, whatever they hold at
    power-up. Raises `InputError`.
    """
    if choice.simulator == "icarus":
        return _cleared(icarus.runner(shape, choice.design), choice, cleared)
    return _cleared(verilated(shape, choice.design, front_door=front_door), choice, cleared)


def _cleared(runner: RtlRunner, choice: Choice, cleared: bool) -> RtlRunner:
    """Ours hold 0 in simulation; those of a user's are written."""
    return replace(runner, clears=cleared and choice.design is not None)
