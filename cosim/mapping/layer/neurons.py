"""A layer's neurons as a core holds them: parameters and registers."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from hw.spec import LFSR_BITS, MEMBRANE_MAX, MEMBRANE_MIN, ResetMode
from sw.common.errors import InputError
from sw.integer.network import IntegerLayer

RESET_MODES = {"zero": ResetMode.ZERO, "subtract": ResetMode.SUBTRACT, "none": ResetMode.NONE}


class NeuronSettings(TypedDict):
    """The fields of a `CoreImage` that are its neurons'."""

    neurons: int
    threshold: NDArray[np.int32]
    bias: NDArray[np.int32]
    leak: int | None
    reset: ResetMode
    noise_mask: int


def neuron_settings(layer: IntegerLayer, here: NDArray[np.int64]) -> NeuronSettings:
    """The settings of the neurons at these flat indices of (C, H, W), int64 [neurons].

    Raises `InputError` for parameters that a core cannot hold.
    """
    for name, values in (("threshold", layer.threshold), ("bias", layer.bias)):
        if values.min() < MEMBRANE_MIN or values.max() > MEMBRANE_MAX:
            raise InputError(
                f"layer {layer.name} has a {name} from {values.min()} to {values.max()}, a core's "
                f"holds {MEMBRANE_MIN} to {MEMBRANE_MAX}"
            )
    settings = NeuronSettings(
        neurons=len(here),
        threshold=layer.spread(layer.threshold).ravel()[here].astype(np.int32),
        bias=layer.spread(layer.bias).ravel()[here].astype(np.int32),
        leak=layer.leak,
        reset=RESET_MODES[layer.reset],
        noise_mask=0,
    )
    if not layer.spiking:
        # The LFSR is never 0: the largest threshold and any noise on top of it are out of reach.
        settings["threshold"] = np.full(len(here), MEMBRANE_MAX, np.int32)
        settings["noise_mask"] = (1 << LFSR_BITS) - 1
        settings["reset"] = ResetMode.NONE
    return settings
