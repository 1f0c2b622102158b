"""Float layers as integer layers: weights of K bits, or whole numbers exactly as they are."""

import math
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.float_layer import NEAR, FloatLayer
from sw.convert.linear_map import Floats
from sw.integer.arm import Arm, Code
from sw.integer.network import MEMBRANE_MAX, MEMBRANE_MIN, IntegerLayer
from sw.model.config.inputs import PIXEL_MAX

if TYPE_CHECKING:  # who reads a network file needs no torch
    from torch import Tensor

Numbers = TypeVar("Numbers", "NDArray[Any]", "Tensor")

WHOLE_BITS = 8  # of weights that are taken as they are
PLANE_BITS = 15  # of the largest plane weight, fraction included
MEMBRANE_ROOM = 2.0**30  # membranes stay below it, so that none saturates
PARTS = 8  # the unit of whole weights is the least of them, or up to so many parts of it
CLIPS = np.linspace(0.5, 1.0, 26)  # of the largest weight: what the largest code may stand for


@dataclass(frozen=True, eq=False)
class Codes:
    """Weights [out, all] as integers: `codes` x `unit` is about what they were.

    `exact`: it is just that.
    """

    codes: NDArray[np.int32]
    bits: int
    code: Code
    unit: float
    exact: bool


@dataclass(frozen=True, eq=False)
class Tuning:
    """What a calibration has found for a layer (`sw.convert.tuned.calibrate`).

    Attributes:
        unit: what a code of 1 stands for.
        shift: float64 of the bias's shape, added to it.
        codes: int32 [out, all], where they were trained; None: the nearest ones.
    """

    unit: float
    shift: NDArray[np.float64]
    codes: NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Quantised:
    """A layer before and after; `one` is what a membrane of 1 stands for."""

    before: FloatLayer
    layer: IntegerLayer
    codes: Codes
    one: float
    notes: tuple[str, ...]
    tuning: Tuning | None = None


def quantised(
    layer: FloatLayer, decisions: Decisions, *, first: bool, tuning: Tuning | None = None
) -> Quantised:
    """A layer in integers. Raises `InputError` for what has no place in 32 bits."""
    layer, changed = layer.immediate(approximate=decisions.approximate)
    shift, note = layer.leak(approximate=decisions.approximate)
    pixels = first and decisions.inputs == "direct"
    if pixels and layer.beside:
        raise InputError(
            f"layer {layer.name}: takes images and other inputs, which the host cannot add: "
            "encode the images as spikes (rate or latency)"
        )
    codes = coded(layer.weights, decisions, None if tuning is None else tuning.unit)
    if tuning is not None and tuning.codes is not None:
        codes = replace(codes, codes=tuning.codes)
    fraction = _fraction_bits(layer, codes, decisions, pixels=pixels)
    one = codes.unit / 2**fraction
    if pixels:
        one /= PIXEL_MAX
    threshold = _thresholds(layer, one)
    shift_of_bias = np.zeros(1) if tuning is None else tuning.shift
    bias = np.rint((layer.drive.bias + shift_of_bias) / one)
    for name, values in (("threshold", threshold), ("bias", bias)):
        if values.min() < MEMBRANE_MIN or values.max() > MEMBRANE_MAX:
            raise InputError(f"layer {layer.name}: a {name} is too large beside its weights")
    window = layer.drive.window
    own, *others = by_arm(layer, codes.codes)
    return Quantised(
        layer,
        IntegerLayer(
            name=layer.name,
            kind="fc" if window is None else "conv",
            weights=own,
            weight_bits=codes.bits,
            fraction_bits=fraction,
            threshold=threshold.astype(np.int64),
            bias=bias.astype(np.int64),
            leak=shift,
            reset=layer.reset if layer.spiking else "none",
            spiking=layer.spiking,
            pool=layer.pool,
            input_shape=layer.drive.inputs,
            window=window,
            code=codes.code,
            sources=layer.sources,
            beside=tuple(
                Arm(each, arm.drive.window, arm.drive.inputs, arm.sources)
                for each, arm in zip(others, layer.beside, strict=True)
            ),
        ),
        codes,
        one,
        tuple(each for each in (changed, note, _moved(tuning)) if each is not None),
        tuning,
    )


def _moved(tuning: Tuning | None) -> str | None:
    if tuning is None:
        return None
    how = "calibrated" if tuning.codes is None else "trained on"
    return f"{how}: the bias is moved by up to {np.abs(tuning.shift).max():.3g}"


def by_arm(layer: FloatLayer, flat: Numbers) -> list[Numbers]:
    """Numbers in the places of a layer's `weights`, [out, all], in the shapes of its arms'."""
    shapes = [arm.drive.weights.shape for arm in layer.arms]
    ends = list(accumulate((math.prod(shape[1:]) for shape in shapes), initial=0))
    return [
        flat[:, start:end].reshape(shape)
        for (start, end), shape in zip(pairwise(ends), shapes, strict=True)
    ]


def units(weights: Floats, decisions: Decisions) -> list[float]:
    """What a code of 1 may stand for: the largest weight fits, or some are clipped."""
    largest = float(np.abs(weights).max())
    return [largest * clip / top_of(decisions.bits, decisions.code) for clip in CLIPS]


def coded(weights: Floats, decisions: Decisions, unit: float | None = None) -> Codes:
    """Weights as they are if they are small whole multiples of one number, else K bits of them.

    Of all units the one with the least squared error is taken, if none is given. A weight of 0
    stays 0: it is no synapse.
    """
    whole = _whole(weights)
    if whole is not None:
        return whole
    bits, code = decisions.bits, decisions.code
    given = units(weights, decisions) if unit is None else [unit]
    tries = [(rounded(weights / each, bits, code), each) for each in given]
    errors = [float(np.square(codes * unit - weights).sum()) for codes, unit in tries]
    codes, unit = tries[int(np.argmin(errors))]
    return Codes(codes, bits, code, unit, exact=False)


def _whole(weights: Floats) -> Codes | None:
    """Two's complement of the fewest bits that holds all weights exactly; None: there is none."""
    sizes = np.abs(weights[weights != 0])
    if not len(sizes):
        return Codes(np.zeros(weights.shape, np.int32), 1, "twos", 1.0, exact=True)
    for parts in range(1, PARTS + 1):
        unit = float(sizes.min()) / parts
        codes = np.rint(weights / unit)
        if np.abs(codes).max() > 2 ** (WHOLE_BITS - 1):
            return None
        if np.allclose(codes * unit, weights, rtol=NEAR, atol=0):
            positive, negative = int(max(codes.max(), 0)), int(max(-codes.min() - 1, 0))
            bits = 1 + max(positive, negative).bit_length()
            if bits <= WHOLE_BITS:
                return Codes(codes.astype(np.int32), bits, "twos", unit, exact=True)
    return None


def top_of(bits: int, code: Code) -> int:
    """The largest code that has a negative of it."""
    return (1 << bits) - 1 if code == "odd" else max((1 << bits - 1) - 1, 1)


def rounded(scaled: Floats, bits: int, code: Code) -> NDArray[np.int32]:
    """The nearest codes; 0 stays 0."""
    top = top_of(bits, code)
    if code == "odd":
        codes = 2 * np.rint((np.clip(scaled, -top, top) + top) / 2) - top
    else:
        codes = np.clip(np.rint(scaled), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return np.where(scaled == 0, 0, codes).astype(np.int32)


def _fraction_bits(layer: FloatLayer, codes: Codes, decisions: Decisions, *, pixels: bool) -> int:
    """As many as the planes hold on the chip, and no more than leave room for all membranes."""
    each = int(np.abs(codes.codes).reshape(len(codes.codes), -1).sum(1).max()) * codes.unit
    step = float(each + np.abs(layer.drive.bias).max() + np.abs(layer.threshold).max())
    steps = min(decisions.timesteps, 1 / (1 - layer.keep) if layer.keep < 1 else math.inf)
    room: int = math.floor(math.log2(MEMBRANE_ROOM * codes.unit / (step * steps or codes.unit)))
    if pixels:  # the host computes this layer, in units of 1 / 255
        return min(max(room - PIXEL_MAX.bit_length(), 0), PLANE_BITS - 1)
    planes = codes.bits if codes.code == "odd" else codes.bits - 1
    most: int = min(PLANE_BITS - 1 - planes, room)
    return max(most, 0)


def _thresholds(layer: FloatLayer, one: float) -> Floats:
    """The integer thresholds that decide alike; where they are subtracted, the nearest."""
    exact = layer.threshold / one
    near = np.rint(exact)
    on_grid = np.abs(exact - near) <= NEAR * np.maximum(np.abs(exact), 1)
    least = np.where(on_grid, near, np.ceil(exact))
    if layer.reset == "subtract":
        least = near
    return np.where(on_grid, near + 1, least) if layer.fires == "above" else least
