"""What each change of an import costs: the network as it was, and step by step as ours.

`file`, or `framework`: floats, with its own semantics, leak, weights and thresholds. `semantics`,
where they change: the chip's order of leak and reset. `leak`: the chip's leak. `weights`: also the
quantised weights. `thresholds`: also thresholds and biases on the grid of the membranes. `integer`:
all in whole numbers, so that the leak rounds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import is_
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatArm, FloatLayer
from sw.convert.kept.imported import Imported
from sw.convert.quantise import Codes, Quantised, Tuning, by_arm
from sw.data.user.inputs import UserInputs
from sw.integer import inference
from sw.integer.network import INPUT
from sw.integer.window import Window
from sw.model.encoding import UNIT, encode

BATCH = 50  # inputs at once
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


@dataclass(frozen=True, eq=False)
class FloatRun:
    """What layers in floats make of inputs.

    Attributes:
        spikes: of each layer that fires, float64 0 or 1 [T, n, C, H, W], before pooling.
        membranes: of each layer after every step, before its reset, the same size.
    """

    spikes: dict[str, Tensor]
    membranes: dict[str, Tensor]

    @property
    def predictions(self) -> NDArray[np.int64]:
        """int64 [n], the class of the last layer's largest membrane after the last step."""
        last = list(self.membranes.values())[-1][-1]
        return np.asarray(last.flatten(1).argmax(1).numpy())


def costs(found: Imported, tried: UserInputs) -> list[dict[str, Any]]:
    """All steps as JSON has them; accuracy is a share, and None where there are no labels."""
    labels = tried.labels
    return [
        {
            "step": each.name,
            "accuracy": None if labels is None else float((each.predictions == labels).mean()),
            "predictions": each.predictions.tolist(),
            "spikes": each.spikes,
        }
        for each in steps(found, tried.values)
    ]


def levels(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as those of `costs` with, instead of answers, how many are those of the first row."""
    first = rows[0]["predictions"]
    return [
        {
            "level": each["step"],
            "accuracy": each["accuracy"],
            "same": sum(map(int.__eq__, each["predictions"], first)),
            "spikes": each["spikes"],
        }
        for each in rows
    ]


def steps(found: Imported, values: NDArray[np.uint8]) -> list[StepResult]:
    """All steps; `values` are uint8 images [n, C, H, W], or spikes [n, T, C, H, W]."""
    parts = [_steps(found, values[at : at + BATCH]) for at in range(0, len(values), BATCH)]
    return [_together(each) for each in zip(*parts, strict=True)]


def _together(parts: Sequence[StepResult]) -> StepResult:
    """One step of several batches."""
    names = parts[0].spikes
    return StepResult(
        parts[0].name,
        np.concatenate([part.predictions for part in parts]),
        {name: sum(part.spikes[name] for part in parts) for name in names},
    )


def _steps(found: Imported, values: NDArray[np.uint8]) -> list[StepResult]:
    inputs = float_inputs(found.decisions, values)
    results: list[StepResult] = []
    before: tuple[FloatLayer, ...] = ()
    for name, layers in _floats(found):
        if results and all(map(is_, layers, before)):  # the step changes nothing
            results.append(replace(results[-1], name=name))
        else:
            results.append(_result(name, run_floats(layers, inputs)))
        before = layers
    trace = inference.run(found.network, values)
    counts = {name: int(fired.sum()) for name, fired in trace.spikes.items()}
    return [*results, StepResult("integer", trace.predictions, counts)]


def run_floats(layers: Sequence[FloatLayer], inputs: Tensor) -> FloatRun:
    """Layers one after the other; inputs are float64 [T, n, C, H, W]."""
    given = {INPUT: inputs}
    found = FloatRun({}, {})
    for layer in layers:
        spikes, membranes = fire(layer, drive_of(layer, given))
        found.membranes[layer.name] = membranes
        if layer.spiking:
            found.spikes[layer.name] = spikes
            given[layer.name] = pooled(spikes) if layer.pool else spikes
    return found


def drive_of(layer: FloatLayer, given: dict[str, Tensor]) -> Tensor:
    """What spikes by source add to a layer's membranes, but for its own: [T, n, C, H, W]."""
    drive = sum(
        _drive(arm, torch.cat([given[source] for source in arm.sources], 2))
        for arm in layer.arms
        if layer.name not in arm.sources
    )
    assert isinstance(drive, Tensor)
    return drive


def _result(name: str, run: FloatRun) -> StepResult:
    counts = {layer: int(spikes.sum()) for layer, spikes in run.spikes.items()}
    return StepResult(name, run.predictions, counts)


def _floats(found: Imported) -> Iterator[tuple[str, tuple[FloatLayer, ...]]]:
    yield found.origin, found.floats
    if any(layer.late for layer in found.floats):
        yield "semantics", tuple(replace(layer, late=False) for layer in found.floats)
    done = found.parts()
    leaking = tuple(map(_with_leak, done))
    yield "leak", leaking
    coded = tuple(map(_with_codes, leaking, done))
    yield "weights", coded
    yield "thresholds", tuple(map(_with_thresholds, coded, done))


def _with_leak(each: Quantised) -> FloatLayer:
    keep = each.layer.keep
    return each.before if each.before.keep == keep else replace(each.before, keep=keep)


def _with_codes(layer: FloatLayer, each: Quantised) -> FloatLayer:
    return with_codes(layer, each.codes, each.tuning)


def with_codes(layer: FloatLayer, codes: Codes, tuning: Tuning | None) -> FloatLayer:
    """The layer with the weights that its codes stand for, and its bias as tuned."""
    weights = codes.codes * np.float64(codes.unit)
    if tuning is None and np.array_equal(weights, layer.weights):
        return layer
    arms = [
        replace(arm, drive=replace(arm.drive, weights=part))
        for arm, part in zip(layer.arms, by_arm(layer, weights), strict=True)
    ]
    if tuning is not None:
        arms[0] = arms[0].with_bias(layer.drive.bias + tuning.shift)
    return replace(layer, drive=arms[0].drive, beside=tuple(arms[1:]))


def _with_thresholds(layer: FloatLayer, each: Quantised) -> FloatLayer:
    one = np.float64(each.one)
    drive = replace(layer.drive, bias=each.layer.bias * one)
    return replace(layer, drive=drive, threshold=each.layer.threshold * one, fires="at")


def float_inputs(decisions: Decisions, values: NDArray[np.uint8]) -> Tensor:
    """Floats [T, n, C, H, W]."""
    if decisions.inputs == "spikes":
        return torch.from_numpy(values.swapaxes(0, 1).astype(np.float64))
    encoded = encode(torch.from_numpy(values).long(), decisions.inputs, decisions.timesteps)
    every = encoded.double() * UNIT[decisions.inputs]
    return every.expand(decisions.timesteps, *every.shape[1:])


def _drive(arm: FloatArm, inputs: Tensor) -> Tensor:
    """What an arm's inputs [T, n, C, H, W] add to the membranes."""
    weights, bias = (torch.from_numpy(np.array(x)) for x in (arm.drive.weights, arm.drive.bias))
    each = bias[:, None, None] if bias.dim() == 1 else bias
    return linear(inputs, weights, arm.drive.window) + each


def linear(inputs: Tensor, weights: Tensor, window: Window | None) -> Tensor:
    """Inputs [T, n, C, H, W] times weights: a convolution, or fully connected."""
    flat = inputs.flatten(0, 1)
    if window is None:
        summed = (flat.flatten(1) @ weights.T)[..., None, None]
    else:
        stride = window.rows.stride, window.columns.stride
        padding = window.rows.padding, window.columns.padding
        summed = F.conv2d(flat, weights, stride=stride, padding=padding)
    return summed.reshape(*inputs.shape[:2], *summed.shape[1:])


def fire(layer: FloatLayer, drive: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes and membranes of all steps."""
    by_channel = layer.threshold.ndim == 1
    threshold = torch.from_numpy(
        layer.threshold.reshape(-1, 1, 1) if by_channel else layer.threshold
    )
    again = [arm for arm in layer.arms if layer.name in arm.sources]
    near = CLOSE * threshold.abs()
    v, lost = torch.zeros_like(drive[0]), torch.zeros_like(drive[0])
    spikes: list[Tensor] = []
    membranes = []
    for added in drive:
        v = layer.keep * v + added - lost
        for arm in again:
            own = spikes[-1] if spikes else torch.zeros_like(v)
            v = v + _drive(arm, (pooled(own[None]) if layer.pool else own[None]))[0]
        membranes.append(v)
        fires = v >= threshold - near if layer.fires == "at" else v > threshold + near
        if not layer.spiking:
            continue
        if layer.late:
            lost = threshold * fires
        elif layer.reset == "zero":
            v = v * ~fires
        elif layer.reset == "subtract":
            v = v - threshold * fires
        spikes.append(fires.double())
    return torch.stack(spikes) if spikes else drive[:0], torch.stack(membranes)


def pooled(spikes: Tensor) -> Tensor:
    """2 x 2 maximum pooling of spikes [T, n, C, H, W]."""
    flat = F.max_pool2d(spikes.flatten(0, 1), 2)
    return flat.reshape(*spikes.shape[:2], *flat.shape[1:])
