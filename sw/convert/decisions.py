"""What a file of another framework does not say, and how it is decided."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sw.common.checks import check_choice, check_range
from sw.common.errors import InputError
from sw.integer.arm import Code
from sw.model.config.inputs import Encoding
from sw.model.config.network import MAX_TIMESTEPS

ResetKind = Literal["zero", "subtract"]
Fires = Literal["at", "above"]
Given = Encoding | Literal["spikes"]  # the inputs
MAX_BITS = {"odd": 7, "twos": 8}  # eight planes each


@dataclass(frozen=True)
class Decisions:
    """Choices for a whole network.

    Attributes:
        timesteps: T, steps per image.
        dt: seconds of a step; only neurons with a time constant need it.
        reset: what a spike does to the membrane.
        fires: at the threshold (v >= threshold), or above it (v > threshold).
        bits: K of weights that are not whole multiples of one number.
        code: of these weights.
        inputs: spikes as they are, or how images become inputs.
        approximate: whether a leak that is no 1 - 2^-k becomes the nearest one.
    """

    timesteps: int
    dt: float = 1e-4
    reset: ResetKind = "zero"
    fires: Fires = "at"
    bits: int = 7
    code: Code = "odd"
    inputs: Given = "spikes"
    approximate: bool = False

    def __post_init__(self) -> None:
        check_range("timesteps", self.timesteps, 1, MAX_TIMESTEPS)
        check_choice("reset", self.reset, get_args(ResetKind))
        check_choice("fires", self.fires, get_args(Fires))
        check_choice("code", self.code, get_args(Code))
        check_choice("inputs", self.inputs, ("spikes", "direct", "rate", "latency"))
        check_range(f"bits of code {self.code}", self.bits, 1, MAX_BITS[self.code])
        if not 0 < self.dt < 1e6:
            raise InputError(f"dt {self.dt}: must be seconds, more than 0")

    def sentences(self) -> Iterator[str]:
        """All of them in words."""
        yield f"a step is dt = {self.dt:g} s for LIF and LI; IF and Threshold do not use it"
        yield "a step adds r x input (IF), or dt / tau x (v_leak - v + r x input) (LIF, LI)"
        yield "the leak is taken from the membrane of the step before, then the input is added"
        sign = ">=" if self.fires == "at" else ">"
        yield f"a neuron fires once a step where v {sign} threshold, and is reset in the same step"
        done = "becomes 0" if self.reset == "zero" else "loses the threshold"
        yield f"its membrane then {done}"
