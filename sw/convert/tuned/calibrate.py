"""Weights calibrated on inputs: each layer's scale and bias by what it fires there.

Layer by layer, the floats see what came before in floats, and the codes what came before in codes.
Of some scales, each with the bias as it is and with the mean difference of each channel's drive
moved into it, the one is taken with which the neurons fire as often as those of the floats: the
least squared difference of their spikes, input by input. An output that integrates is compared by
its membranes. So errors of the layers before are evened out as well, as far as a bias can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.kept.imported import Imported, tuned_anew
from sw.convert.quantise import Tuning, coded, quantised, units
from sw.convert.steps import drive_of, fire, float_inputs, pooled, run_floats, with_codes
from sw.integer import inference
from sw.integer.network import INPUT

EVERY = 2  # of the scales that weights alone are coded by
MOST = 50  # inputs of a sample: more of them take longer and change little


@dataclass
class _Seen:
    """What the layers so far have fired on the sample: in floats, and in codes."""

    floats: dict[str, Tensor]
    codes: dict[str, Tensor]


def calibrate(found: Imported, values: NDArray[np.uint8]) -> Imported:
    """An import once more, calibrated on inputs: images [n, C, H, W] or spikes [n, T, C, H, W].

    If fewer answers on these are then those of the floats, it stays as it was, and says so.
    """
    values = values[:MOST]
    inputs = float_inputs(found.decisions, values)
    tunings = tuned(found.floats, found.decisions, inputs)
    done = tuned_anew(found, tunings, f"calibrated on {len(values)} inputs")
    answers = run_floats(found.floats, inputs).predictions
    before, after = (
        int((inference.run(each.network, values).predictions == answers).sum())
        for each in (found, done)
    )
    if after < before:
        said = f"a calibration on {len(values)} inputs was left out: {after} answers instead of"
        words = f"{said} {before} were those of the floats"
        document = found.document
        return replace(found, document=document | {"decisions": [*document["decisions"], words]})
    return done


def tuned(layers: Sequence[FloatLayer], decisions: Decisions, inputs: Tensor) -> dict[str, Tuning]:
    """Scale and bias of each layer whose weights are not exact; inputs are [T, n, C, H, W]."""
    seen = _Seen({INPUT: inputs}, {INPUT: inputs})
    found: dict[str, Tuning] = {}
    for layer in layers:
        spikes, wanted = _run(layer, seen.floats)
        fixed = quantised(layer, decisions, first=False)
        chip = replace(layer, keep=fixed.layer.keep, late=False)
        tunings = [None] if fixed.codes.exact else list(_tries(chip, decisions, seen))
        best, least = None, np.inf
        for tuning in tunings:
            ours = _tuned(chip, decisions, tuning)
            fired, outcome = _run(ours, seen.codes)
            size = float(torch.square(outcome - wanted).sum())
            if size < least:
                best, least = (tuning, fired), size
        assert best is not None
        if best[0] is not None:
            found[layer.name] = best[0]
        if layer.spiking:
            seen.floats[layer.name], seen.codes[layer.name] = spikes, best[1]
    return found


def _run(layer: FloatLayer, given: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The spikes that go on, and what is compared: how many a neuron fired, or the membranes."""
    spikes, membranes = fire(layer, drive_of(layer, given))
    if not layer.spiking:
        return spikes, membranes[-1]
    return (pooled(spikes) if layer.pool else spikes), spikes.sum(0)


def _tries(layer: FloatLayer, decisions: Decisions, seen: _Seen) -> Iterator[Tuning]:
    """Scales, each without and with a bias that evens out the mean drive of a channel."""
    wanted = drive_of(layer, seen.floats)
    for unit in units(layer.weights, decisions)[::-1][::EVERY]:
        plain = Tuning(unit, np.zeros_like(layer.drive.bias))
        yield plain
        error = wanted - drive_of(_tuned(layer, decisions, plain), seen.codes)
        mean = error.mean((0, 1, 3, 4)).numpy()
        along = mean.reshape(-1, *[1] * (layer.drive.bias.ndim - 1))
        yield Tuning(unit, plain.shift + along)


def _tuned(layer: FloatLayer, decisions: Decisions, tuning: Tuning | None) -> FloatLayer:
    codes = coded(layer.weights, decisions, None if tuning is None else tuning.unit)
    return with_codes(layer, codes, tuning)
