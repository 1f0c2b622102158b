"""RANC's rules of a neuron as registers of ours, and what ours cannot express, refused by name.

RANC's neuron: v += the weights of axons that spiked; v += leak; if v >= threshold it fires, and v
is reset (hard: a value, linear: v - threshold); else if v < negative threshold, v becomes the
negated reset value (hard), or v - negative threshold (linear).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cosim.mapping.ranc.core_file import LEAST, RancCore, Reset
from cosim.mapping.ranc.grid import Grid
from hw.spec import FLOOR_NONE, MAX_PLANES, ResetMode
from sw.common.errors import InputError

RESETS = {Reset.HARD: ResetMode.ZERO, Reset.LINEAR: ResetMode.SUBTRACT}


def check_rules(index: int, core: RancCore, grid: Grid) -> None:
    """Raises `InputError`, with rule, file, core and neuron, if ours cannot express a neuron."""
    for wrong, values, rule in _rules(index, core, grid):
        neurons = np.flatnonzero(wrong & core.live)
        if len(neurons):
            first = int(neurons[0])
            what = rule.format(values[first])
            raise InputError(f"{_place(index, core, grid)}, neuron {first}: {what}")


def floor_of(index: int, core: RancCore, grid: Grid) -> int:
    """What FLOOR must be for all neurons of a core: 0 or none. Raises `InputError` for both."""
    falls = _falls(core) & core.live
    hard = falls & (core.mode == Reset.HARD) & (core.negative == 0)
    free = falls & ~hard
    if hard.any() and free.any():
        raise InputError(
            f"{_place(index, core, grid)}, neurons {np.flatnonzero(hard)[0]} and "
            f"{np.flatnonzero(free)[0]}: one is kept from below 0 and one is not, but a core of "
            "this chip has one floor"
        )
    return 0 if hard.any() else FLOOR_NONE


def reset_of(index: int, core: RancCore, grid: Grid) -> ResetMode:
    """RESET_MODE of a core. Raises `InputError` if its neurons have several."""
    modes = {Reset(int(mode)): np.flatnonzero(core.live & (core.mode == mode)) for mode in Reset}
    used = [mode for mode, neurons in modes.items() if len(neurons)]
    if len(used) > 1:
        hard, linear = (modes[mode][0] for mode in Reset)
        raise InputError(
            f"{_place(index, core, grid)}, neurons {hard} and {linear}: hard and linear reset, but "
            "a core of this chip has one reset mode"
        )
    return RESETS[used[0]] if used else ResetMode.ZERO


def planes_of(index: int, core: RancCore, grid: Grid, dendrites: int) -> list[int]:
    """Plane weights of which sums make all weights of a core, the fewest of two ways.

    They are the weights themselves, or the powers of two of a two's complement. Raises `InputError`
    if the planes of all neurons are more than the core's dendrites, or than there can be.
    """
    neurons = used_neurons(core)
    weights = np.unique(core.synapses[core.synapses != 0]).tolist() or [1]
    bits = max((each if each >= 0 else ~each).bit_length() for each in weights)
    powers = [1 << bit for bit in range(bits)] + ([-(1 << bits)] if min(weights) < 0 else [])
    planes = min(weights, powers, key=len)
    most = min(MAX_PLANES, dendrites // max(neurons, 1))
    if len(planes) > most:
        raise InputError(
            f"{_place(index, core, grid)}: {neurons} neurons of {len(weights)} different weights "
            f"need {len(planes)} planes each, must be at most {most}: a core has {MAX_PLANES} "
            f"planes and {dendrites} dendrites"
        )
    return planes


def rows_of(core: RancCore, planes: list[int]) -> NDArray[np.bool_]:
    """Synapses bool [neurons, planes, axons] whose plane weights sum up to RANC's weights."""
    synapses = core.synapses[: used_neurons(core)]
    if set(np.unique(synapses).tolist()) <= {0, *planes}:
        return np.stack([synapses == plane for plane in planes], axis=1)
    return np.stack([synapses & abs(plane) != 0 for plane in planes], axis=1)


def used_neurons(core: RancCore) -> int:
    """Neurons up to the last one that is not at rest for ever."""
    return int(np.flatnonzero(core.live).max(initial=-1)) + 1


def _rules(
    index: int, core: RancCore, grid: Grid
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64], str]]:
    """Which neurons break a rule, the values to name, and the rule."""
    hard, linear = core.mode == Reset.HARD, core.mode == Reset.LINEAR
    below = _falls(core) & (core.negative != 0) & (core.negative != LEAST) | (core.negative > 0)
    targets = grid.targets(index, core)
    yield core.potential != 0, core.potential, "potential {} at the start, must be 0 on this chip"
    yield hard & (core.reset != 0), core.reset, "hard reset to {}, must be to 0 on this chip"
    yield (
        hard & below,
        core.negative,
        "hard reset at a negative threshold of {}, must be 0 on this chip, or never reached",
    )
    yield (
        linear & below,
        core.negative,
        "linear reset at a negative threshold of {}, must be 0 on this chip, or never reached",
    )
    yield targets < 0, core.dx, f"dx = {{}} or its dy leads out of the grid, {grid}"
    yield (
        (targets != grid.output) & (core.axon >= core.axons),
        core.axon,
        f"sends to axon {{}}, must be below {core.axons}",
    )
    yield (
        (targets != grid.output) & (core.delay != 0),
        core.delay,
        "a delay of {} ticks more, must be 0: a spike of this chip arrives for the next tick",
    )


def _falls(core: RancCore) -> NDArray[np.bool_]:
    """Neurons whose potential can fall below 0."""
    return (core.synapses < 0).any(axis=1) | (core.leak < 0)


def _place(index: int, core: RancCore, grid: Grid) -> str:
    x, y = grid.xy(index)
    return f"{core.place}: core {index} at ({x}, {y})"
