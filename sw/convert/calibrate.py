"""Weights calibrated on inputs: each layer's scale and bias by what they add to membranes there.

Layer by layer, the floats see what came before in floats, and the codes what came before in codes.
Of all scales the one is taken whose drive is nearest to that of the floats, least squares, once the
mean difference of each output channel is moved into its bias. So errors of the layers before are
evened out as well, as far as a bias can.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.kept.imported import Imported, converted
from sw.convert.quantise import Tuning, by_arm, coded, quantised, units
from sw.convert.steps import drive_of, fire, float_inputs, pooled
from sw.integer.network import INPUT

MOST = 50  # inputs of a sample: more of them take longer and change little


@dataclass
class _Seen:
    """What the layers so far have fired on the sample: in floats, and in codes."""

    floats: dict[str, Tensor]
    codes: dict[str, Tensor]


def calibrate(found: Imported, values: NDArray[np.uint8]) -> Imported:
    """An import once more, calibrated on inputs: images [n, C, H, W] or spikes [n, T, C, H, W]."""
    values = values[:MOST]
    tunings = tuned(found.floats, found.decisions, float_inputs(found.decisions, values))
    words = f"weights and biases are calibrated on {len(values)} inputs"
    document = found.document
    sentences = [*document["decisions"], words]
    done = converted(document["source"], found.floats, found.decisions, sentences, tunings)
    done.document.update({name: document[name] for name in ("checked",) if name in document})
    return replace(done, origin=found.origin)


def tuned(layers: Sequence[FloatLayer], decisions: Decisions, inputs: Tensor) -> dict[str, Tuning]:
    """Scale and bias of each layer whose weights are not exact; inputs are [T, n, C, H, W]."""
    seen = _Seen({INPUT: inputs}, {INPUT: inputs})
    found: dict[str, Tuning] = {}
    for layer in layers:
        wanted = drive_of(layer, seen.floats)
        exact = coded(layer.weights, decisions).exact
        tuning = None if exact else _best(layer, decisions, wanted, seen.codes)
        if tuning is not None:
            found[layer.name] = tuning
        if layer.spiking:
            done = quantised(layer, decisions, first=False, tuning=tuning)
            leak = done.layer.leak
            ours = replace(
                _with(layer, done.codes.codes * done.codes.unit, tuning),
                keep=1.0 if leak is None else 1 - 2.0**-leak,
                late=False,
            )
            for into, each, drive in (
                (seen.floats, layer, wanted),
                (seen.codes, ours, drive_of(ours, seen.codes)),
            ):
                spikes, _ = fire(each, drive)
                into[layer.name] = pooled(spikes) if layer.pool else spikes
    return found


def _best(
    layer: FloatLayer, decisions: Decisions, wanted: Tensor, given: dict[str, Tensor]
) -> Tuning:
    best, least = None, np.inf
    for unit in units(layer.weights, decisions):
        codes = coded(layer.weights, decisions, unit)
        error = wanted - drive_of(_with(layer, codes.codes * unit, None), given)
        shift = error.mean((0, 1, 3, 4), keepdim=True)
        size = float(torch.square(error - shift).sum())
        if size < least:
            best, least = Tuning(unit, shift.flatten().numpy()), size
    assert best is not None
    return best


def _with(layer: FloatLayer, weights: NDArray[np.floating], tuning: Tuning | None) -> FloatLayer:
    """The layer with other weights, and its bias as tuned."""
    own, *others = by_arm(layer, np.asarray(weights, np.float64))
    bias = layer.drive.bias if tuning is None else layer.drive.bias + tuning.shift
    beside = (
        replace(arm, drive=replace(arm.drive, weights=each))
        for arm, each in zip(layer.beside, others, strict=True)
    )
    return replace(layer, drive=replace(layer.drive, weights=own, bias=bias), beside=tuple(beside))
