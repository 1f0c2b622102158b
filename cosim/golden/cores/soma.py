"""What a tick does to neurons, by the rules of `hw.spec`."""

import numpy as np
from numpy.typing import NDArray

from cosim.golden.cores.team import Team
from hw.spec import MEMBRANE_MAX, MEMBRANE_MIN, ResetMode


def saturate(v: NDArray[np.int64]) -> None:
    """Clip `v`, in its place, to what a membrane holds."""
    np.clip(v, MEMBRANE_MIN, MEMBRANE_MAX, out=v)


def integrate_and_fire(
    team: Team,
    v: NDArray[np.int64],
    current: NDArray[np.int64] | None,
    noise: NDArray[np.int64] | None,
) -> NDArray[np.bool_]:
    """One tick of a team's membranes `v`, int64 [cores, images, neurons], in their place.

    `current` is of the same shape, `noise` int64 [cores, neurons]; None: all 0. Who fired.
    """
    threshold = team.threshold[:, None]
    if team.leak is not None:
        v -= v >> team.leak
    if current is not None:
        v += current
    v += team.bias[:, None]
    saturate(v)
    fired: NDArray[np.bool_] = v >= (threshold if noise is None else threshold + noise[:, None])
    if team.reset is ResetMode.ZERO:
        v *= ~fired
    elif team.reset is ResetMode.SUBTRACT:
        v -= fired * threshold
        saturate(v)
    if team.floor is not None:
        np.maximum(v, team.floor[:, None], out=v)
    return fired
