"""From a quantised network to integers: batch norm goes into thresholds and biases."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.integer.connected import (
    POOLED,
    branches,
    input_shape,
    pooling,
    renamed,
    sources,
    turned,
    whole_codes,
    window_of,
)
from sw.integer.network import MEMBRANE_MAX, IntegerLayer, IntegerNetwork
from sw.model.config.inputs import PHASED, PHASES, PIXEL_MAX, Inputs
from sw.model.config.network import NetworkConfig

if TYPE_CHECKING:  # a reader of network files needs no torch
    from sw.model.layer import SpikingLayer
    from sw.model.network import SpikingNetwork

SPIKE_FRACTION_BITS = 14  # less K: a weight's highest bit is then 2^14 and fits 16 bits signed
ANALOG_SUM_BITS = 26  # of layer 0: its largest sum of weighted pixels, fraction included
BIAS_TRIES = 8  # how far from the nearest integer a bias may go
HEADROOM = 2.0**28  # thresholds and biases stay below it: far over any sum, and 32 bits hold it


def fold(network: "SpikingNetwork") -> IntegerNetwork:
    """The integer network that fires where this quantised network fires.

    A drive is g * unit * sum(codes * inputs) + b with batch norm's gain g and offset b. Divided by
    |g| * unit it is a sum of integers; threshold and bias are divided likewise, per channel, and
    where g is negative the weights change sign. The weights' scale stays one per layer.

    Raises:
        InputError: the network's weights are float, its leak is not a shift, or its pooling is not
            that of spikes.
    """
    config, bits = network.config, network.weight_bits
    if bits is None:
        raise InputError(f"network {config.name}: its weights are float, must be quantised to fold")
    if config.pooling != "or":
        raise InputError(
            f"network {config.name}: {config.pooling} pooling runs in software only;"
            " must be or (max pooling of spikes) to fold"
        )
    hidden: list[IntegerLayer] = []
    for layer in network.chain[:-1]:
        hidden.append(_hidden(layer, config, bits, None if hidden else config.encoding))
        if layer.spec.pool and layer.spec.pool_window is not None:
            hidden.append(pooling(hidden[-1], layer.spec.pool_window))
    given = {layer.sources[0]: layer.name for layer in hidden if layer.name.endswith(POOLED)}
    hidden = [renamed(layer, given) for layer in hidden]
    return IntegerNetwork(
        name=config.name,
        dataset=config.dataset,
        encoding=config.encoding,
        timesteps=config.timesteps,
        classes=config.classes,
        layers=(*hidden, renamed(_output(network.chain[-1], bits), given)),
    )


def _hidden(
    layer: "SpikingLayer", config: NetworkConfig, bits: int, encoding: Inputs | None
) -> IntegerLayer:
    """A hidden layer; `encoding` is that of its inputs if it is the first one, else None."""
    assert layer.theta is not None
    spec, timesteps = layer.spec, config.timesteps
    leak = _leak_shift(config.leak if spec.leak is None else spec.leak)
    codes, _ = whole_codes(layer, bits)
    gain, offset = layer.affine()
    fraction_bits = _fraction_bits(codes, bits, encoding)
    grids = _grids(fraction_bits, leak, timesteps, encoding)
    one = membrane_of_one(layer, bits, encoding)
    threshold, bias = round_decisions(layer.theta / one, offset / one, grids, leak)
    if spec.reset == "subtract":  # the threshold itself counts, not only what it decides
        threshold = np.maximum(np.rint(layer.theta / one), 1).astype(np.int64)
        bias = np.rint(offset / one).astype(np.int64)
    flip = np.where(gain < 0, -1, 1)
    return IntegerLayer(
        name=layer.name,
        kind=layer.spec.kind,
        weights=turned(codes, flip),
        weight_bits=bits,
        fraction_bits=fraction_bits,
        threshold=threshold,
        bias=bias,
        leak=leak,
        reset=spec.reset,
        spiking=True,
        pool=spec.pool and spec.pool_window is None,
        input_shape=input_shape(layer),
        window=window_of(spec.window),
        sources=sources(layer),
        beside=branches(layer, bits, flip),
    )


def membrane_of_one(
    layer: "SpikingLayer", bits: int, encoding: Inputs | None
) -> NDArray[np.float64]:
    """What a folded membrane of 1 is in the network, by channel of a hidden layer, [out].

    `encoding` is that of its inputs if it is the first one, else None.
    """
    assert layer.theta is not None
    codes, unit = whole_codes(layer, bits)
    gain, offset = layer.affine()
    one = np.abs(gain) * unit / 2 ** _fraction_bits(codes, bits, encoding)
    # A gain next to 0 would put the threshold out of range: it counts as the least that does not.
    least = np.maximum(layer.theta, np.abs(offset)) / HEADROOM
    return np.asarray(np.maximum(one, least), np.float64)


def _output(layer: "SpikingLayer", bits: int) -> IntegerLayer:
    """The layer that integrates: no leak, no reset, and a threshold that means nothing."""
    codes, unit = whole_codes(layer, bits)
    _, offset = layer.affine()
    fraction_bits = SPIKE_FRACTION_BITS - bits
    one = max(unit / 2**fraction_bits, float(np.abs(offset).max()) / HEADROOM)
    return IntegerLayer(
        name=layer.name,
        kind=layer.spec.kind,
        weights=codes,
        weight_bits=bits,
        fraction_bits=fraction_bits,
        threshold=np.full(len(codes), MEMBRANE_MAX, dtype=np.int64),
        bias=np.rint(offset / one).astype(np.int64),
        leak=None,
        reset="none",
        spiking=False,
        pool=False,
        input_shape=input_shape(layer),
        sources=sources(layer),
        beside=branches(layer, bits, np.ones(len(codes), np.int64)),
    )


def round_decisions(
    theta: NDArray[np.float64],
    offset: NDArray[np.float64],
    grids: list[int],
    leak: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Integer thresholds and biases, [out] each, with which no decision differs, if there are any.

    n steps after rest the membrane is A + B: A from the weighted inputs, a multiple of
    `grids[n - 1]` that the shift leak halves without rounding; B from the bias alone, which does
    not depend on the inputs and so is known here, rounding included. The real
    neuron fires where A >= theta - B. Every integer threshold between the last A below that and
    the first A above it, plus the integer B, decides the same for all inputs. So a channel's
    threshold is taken from where these ranges meet for n = 1..T, as near as can be to theta; the
    bias is the nearest integer for which they do meet (or the nearest one, if none does).
    """
    nearest = np.rint(offset).astype(np.int64)
    threshold, bias = np.rint(theta).astype(np.int64), nearest
    settled = np.zeros(len(theta), dtype=bool)
    for away in sorted(range(-BIAS_TRIES, BIAS_TRIES + 1), key=abs):
        low, high = _agreeing(theta, offset, nearest + away, grids, leak)
        chosen = ~settled & (low < high)
        threshold = np.where(
            chosen, np.clip(np.rint(theta).astype(np.int64), low + 1, high), threshold
        )
        bias = np.where(chosen, nearest + away, bias)
        settled |= chosen
    return threshold, bias


def _agreeing(
    theta: NDArray[np.float64],
    offset: NDArray[np.float64],
    bias: NDArray[np.int64],
    grids: list[int],
    leak: int | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Integer thresholds above `low`, up to `high` decide like theta, 1..T steps after rest."""
    low = np.full(len(theta), -(2**62), dtype=np.int64)
    high = -low
    kept = 1.0 if leak is None else 1 - 2.0**-leak
    real, whole = np.zeros_like(offset), np.zeros_like(bias)
    for grid in grids:
        real = kept * real + offset
        whole = (whole if leak is None else whole - (whole >> leak)) + bias
        above = np.ceil((theta - real) / grid).astype(np.int64) * grid
        low = np.maximum(low, above - grid + whole)
        high = np.minimum(high, above + whole)
    return low, high


def _grids(
    fraction_bits: int, leak: int | None, timesteps: int, encoding: Inputs | None
) -> list[int]:
    """Of what the weighted inputs leave in a membrane 1..T steps after rest: it is a multiple.

    Each leak takes as many bits as its shift. In phase encoding what comes in takes a bit less each
    step, so the bits that a first leak takes are above those of the next inputs; and step T - 1 has
    the lowest ones.
    """
    shift = leak or 0
    if encoding in PHASED:
        fraction_bits, shift = fraction_bits + PHASES - timesteps, max(shift - 1, 0)
    return [2 ** max(fraction_bits - shift * step, 0) for step in range(timesteps)]


def _fraction_bits(codes: NDArray[np.int32], bits: int, encoding: Inputs | None) -> int:
    """As many as there is room for.

    Of a chip's layer: in its weights of 16 bits, which for phase encoding are those of the first
    step, 2^7 times those of the eighth. Of an analog layer, on the host: in what its sums leave.
    """
    if encoding == "direct":
        largest = math.prod(codes.shape[1:]) * ((1 << bits) - 1) * PIXEL_MAX
        return max(0, ANALOG_SUM_BITS - largest.bit_length())
    room = SPIKE_FRACTION_BITS - (PHASES - 1 if encoding in PHASED else 0)
    return max(0, room - bits)


def _leak_shift(leak: float) -> int | None:
    """The shift k whose loss of v >> k keeps the share `leak` = 1 - 2^-k; None for all of it.

    Raises:
        InputError: there is no such k.
    """
    if leak == 1:
        return None
    shift = -math.log2(1 - leak)
    if not shift.is_integer():
        raise InputError(f"leak {leak}: must be 1 or 1 - 2^-k to be a shift, such as 0.5 or 0.75")
    return int(shift)
