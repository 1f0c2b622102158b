"""Neurons of snnTorch and SpikingJelly: what a step of each is, by the name of its class."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from sw.common.errors import InputError
from sw.convert.decisions import Fires
from sw.convert.linear_map import Floats
from sw.integer.network import Reset

FRAMEWORKS = ("snntorch", "spikingjelly")
TAKEN = "Leaky of snnTorch, IFNode, LIFNode and ParametricLIFNode of SpikingJelly"


@dataclass(frozen=True, eq=False)
class Rule:
    """A step of a neuron:  v = keep v + gain x input, compare, reset.

    Attributes:
        threshold: one number, or one for each channel or neuron.
        reset, fires, late: as in `sw.convert.float_layer.FloatLayer`.
        words: the rule in words.
    """

    gain: float
    keep: float
    threshold: Floats
    reset: Reset
    fires: Fires
    late: bool
    words: str


def rule_of(name: str, module: nn.Module) -> Rule | None:
    """What a module does in a step; None: it is no neuron.

    Raises `InputError` for a neuron that the chip has not.
    """
    framework, kind = type(module).__module__.split(".")[0], type(module).__name__
    known = {
        ("snntorch", "Leaky"): _leaky,
        ("spikingjelly", "IFNode"): _spikingjelly,
        ("spikingjelly", "LIFNode"): _spikingjelly,
        ("spikingjelly", "ParametricLIFNode"): _spikingjelly,
    }
    if (framework, kind) in known:
        return known[framework, kind](f"{name} ({framework} {kind})", module)
    if _is_neuron(module):
        raise InputError(f"{name} is {kind}, which this chip cannot do: must be {TAKEN}")
    return None


def _is_neuron(module: nn.Module) -> bool:
    """Whether it is another neuron of the two, or a class made of one."""
    places = [base.__module__ for base in type(module).__mro__]
    return any(
        place.startswith("snntorch._neurons") or ("spikingjelly" in place and ".neuron" in place)
        for place in places
    )


def _number(where: str, what: str, value: Any) -> float:
    found = _array(value)
    if np.any(found != found.flat[0]):
        raise InputError(f"{where}: its neurons have several {what}, a layer here has one")
    return float(found.flat[0])


def _array(value: Any) -> Floats:
    raw = value.detach().numpy() if isinstance(value, Tensor) else value
    return np.atleast_1d(np.asarray(raw, np.float64))


def _leaky(where: str, module: Any) -> Rule:
    for what, there in (
        ("inhibition", module.inhibition),
        ("a quantised state", module.state_quant),
        ("graded spikes", np.any(_array(module.graded_spikes_factor) != 1)),
    ):
        if there:
            raise InputError(f"{where}: has {what}, which this chip cannot do")
    reset: Reset = module.reset_mechanism
    if reset == "subtract" and not module.reset_delay:
        raise InputError(
            f"{where}: subtracts without delay, where it compares after the threshold of an earlier"
            " spike was lost: set reset_delay=True, or reset_mechanism='zero'"
        )
    keep = min(max(_number(where, "betas", module.beta), 0.0), 1.0)
    late = reset == "subtract" and keep < 1
    done = {
        "zero": "becomes 0",
        "subtract": "loses the threshold" + (" in the next step, after the leak" if late else ""),
        "none": "stays",
    }
    words = (
        f"{where}: v = {keep:g} v + input, fires where v > threshold; its membrane then "
        f"{done[reset]}"
    )
    return Rule(1.0, keep, _array(module.threshold), reset, "above", late, words)


def _spikingjelly(where: str, module: Any) -> Rule:
    kind = type(module).__name__
    if kind == "IFNode":
        share, gain, charge = 0.0, 1.0, "v + input"
    else:
        if kind == "LIFNode":
            share = 1 / float(module.tau)
        else:
            share = _number(where, "time constants", module.w.detach().sigmoid())
        gain = share if module.decay_input else 1.0
        inner = "input - " if module.decay_input else ""
        charge = f"v + {share:g} ({inner}(v - v_reset))" + (
            "" if module.decay_input else " + input"
        )
    if not 0 <= share <= 1:
        raise InputError(f"{where}: tau {1 / share:g} must be at least 1")
    rest = 0.0 if module.v_reset is None else float(module.v_reset)
    reset: Reset = "subtract" if module.v_reset is None else "zero"
    done = "loses the threshold" if module.v_reset is None else f"becomes v_reset = {rest:g}"
    moved = f"; v is counted from {rest:g}" if rest else ""
    words = f"{where}: v = {charge}, fires where v >= threshold; its membrane then {done}{moved}"
    threshold = _array(module.v_threshold) - rest
    return Rule(gain, 1 - share, threshold, reset, "at", False, words)
