"""What each change of an import costs: the network as its file says it, and step by step as ours.

`file`: floats, with the file's leak, weights and thresholds. `leak`: the chip's leak. `weights`:
also the quantised weights. `integer`: also thresholds, biases and membranes in whole numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.imported import Imported
from sw.convert.quantise import coded
from sw.integer import inference
from sw.integer.network import INPUT
from sw.model.encoding import UNIT, encode

CLOSE = 1e-9  # of a threshold: a float sum that should be there and is a rounding below


@dataclass(frozen=True, eq=False)
class StepResult:
    """What one of the networks makes of some inputs.

    Attributes:
        name: which one.
        predictions: int64 [n], the class of the largest output.
        spikes: of each layer that fires, of all inputs together.
    """

    name: str
    predictions: NDArray[np.int64]
    spikes: dict[str, int]


def steps(found: Imported, decisions: Decisions, values: NDArray[np.uint8]) -> list[StepResult]:
    """All steps; `values` are uint8 images [n, C, H, W], or spikes [n, T, C, H, W]."""
    results = [
        _float(name, layers, decisions, values) for name, layers in _floats(found, decisions)
    ]
    trace = inference.run(found.network, values)
    counts = {name: int(fired.sum()) for name, fired in trace.spikes.items()}
    return [*results, StepResult("integer", trace.predictions, counts)]


def _floats(found: Imported, decisions: Decisions) -> Iterator[tuple[str, tuple[FloatLayer, ...]]]:
    yield "file", found.floats
    leaking = tuple(_with_leak(layer, decisions) for layer in found.floats)
    yield "leak", leaking
    yield "weights", tuple(_with_codes(layer, decisions) for layer in leaking)


def _with_leak(layer: FloatLayer, decisions: Decisions) -> FloatLayer:
    shift, _ = layer.leak(approximate=decisions.approximate)
    return replace(layer, keep=1.0 if shift is None else 1 - 2.0**-shift)


def _with_codes(layer: FloatLayer, decisions: Decisions) -> FloatLayer:
    codes = coded(layer.drive.weights, decisions)
    return replace(layer, drive=replace(layer.drive, weights=codes.codes * np.float64(codes.unit)))


def _float(
    name: str, layers: Sequence[FloatLayer], decisions: Decisions, values: NDArray[np.uint8]
) -> StepResult:
    given = {INPUT: _inputs(decisions, values)}
    counts: dict[str, int] = {}
    for layer in layers:
        inputs = torch.cat([given[source] for source in layer.sources], 2)
        drive = _drive(layer, inputs)
        if not layer.spiking:
            v = torch.zeros_like(drive[0])
            for added in drive:
                v = layer.keep * v + added
            return StepResult(name, v.flatten(1).argmax(1).numpy(), counts)
        given[layer.name] = _fire(layer, drive, decisions)
        counts[layer.name] = int(given[layer.name].sum())
    raise AssertionError("an import ends with a layer that does not spike")


def _inputs(decisions: Decisions, values: NDArray[np.uint8]) -> Tensor:
    """Floats [T, n, C, H, W]."""
    if decisions.inputs == "spikes":
        return torch.from_numpy(values.swapaxes(0, 1).astype(np.float64))
    encoded = encode(torch.from_numpy(values).long(), decisions.inputs, decisions.timesteps)
    every = encoded.double() * UNIT[decisions.inputs]
    return every.expand(decisions.timesteps, *every.shape[1:])


def _drive(layer: FloatLayer, inputs: Tensor) -> Tensor:
    flat = inputs.flatten(0, 1)
    weights, bias = (torch.from_numpy(np.array(x)) for x in (layer.drive.weights, layer.drive.bias))
    window = layer.drive.window
    if window is None:
        summed = (flat.flatten(1) @ weights.T)[..., None, None]
    else:
        stride = window.rows.stride, window.columns.stride
        padding = window.rows.padding, window.columns.padding
        summed = F.conv2d(flat, weights, stride=stride, padding=padding)
    added: Tensor = summed + bias[:, None, None]
    return added.reshape(*inputs.shape[:2], *added.shape[1:])


def _fire(layer: FloatLayer, drive: Tensor, decisions: Decisions) -> Tensor:
    threshold = torch.from_numpy(layer.threshold)[:, None, None]
    near = CLOSE * threshold.abs()
    v, fired = torch.zeros_like(drive[0]), []
    for added in drive:
        v = layer.keep * v + added
        fires = v >= threshold - near if decisions.fires == "at" else v > threshold + near
        v = v * ~fires if decisions.reset == "zero" else v - threshold * fires
        fired.append(fires.double())
    return torch.stack(fired)
