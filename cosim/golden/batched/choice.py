"""Which golden model a run takes: the reference in numpy, or the batched one on a device."""

from dataclasses import dataclass

from cosim.golden.batched.runner import BatchedRunner
from cosim.golden.runner import GoldenRunner
from cosim.program.runner import Runner
from sw.common.checks import check_choice
from sw.common.device import CPU
from sw.common.device import device as find_device
from sw.common.errors import InputError

KINDS = ("numpy", "batched")


@dataclass(frozen=True)
class GoldenChoice:
    """A golden model; what it answers does not depend on which.

    Attributes:
        kind: one of KINDS.
        device: of the batched one, see `sw.common.device`.

    Raises:
        InputError: there is no such one.
    """

    kind: str = "numpy"
    device: str = CPU

    def __post_init__(self) -> None:
        check_choice("golden model", self.kind, KINDS)
        if self.kind == "numpy" and self.device != CPU:
            raise InputError(
                f"device {self.device!r}: the golden model in numpy runs on the CPU; must be cpu,"
                " or choose the batched one by --golden batched"
            )

    def check(self) -> None:
        """Raises `InputError` unless its device is there."""
        find_device(self.device)

    def runner(self) -> Runner:
        """A new one, with no program loaded. Raises `InputError`: its device is not there."""
        if self.kind == "numpy":
            return GoldenRunner()
        return BatchedRunner(find_device(self.device))

    def __str__(self) -> str:
        return self.kind if self.kind == "numpy" else f"{self.kind}, on {self.device}"


NUMPY = GoldenChoice()
