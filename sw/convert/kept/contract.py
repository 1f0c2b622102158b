"""The contract of an import: what was decided and what was changed, number by number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from sw.convert.quantise import Quantised

VERSION = 1


class Weights(Struct, frozen=True):
    """What a layer's weights became."""

    exact: bool
    code: str
    bits: int
    fraction_bits: int
    unit: float
    largest: float
    largest_error: float
    mean_error: float


class Layer(Struct, frozen=True):
    """A layer before and after; `leak` is the share of v that a step leaves."""

    layer: str
    sources: list[str]
    inputs: list[int]
    outputs: list[int]
    weights: Weights
    leak: tuple[float, float]
    bias_error: float
    notes: list[str]
    threshold: tuple[float, float] | None = None
    threshold_error: float | None = None
    reset: str | None = None


class Checked(Struct, frozen=True):
    """How many spikes of a traced model on its sample are others than those of its layers."""

    inputs: int
    spikes: int
    different: int


class Contract(Struct, frozen=True):
    """A contract that was read; what else it has is left out."""

    source: str
    timesteps: int
    decisions: list[str]
    layers: list[Layer]
    checked: Checked | None = None


def contract(
    name: str, layers: Sequence[Quantised], timesteps: int, sentences: Sequence[str]
) -> dict[str, Any]:
    """As JSON has it: decisions in words, and each layer's numbers before and after."""
    return {
        "version": VERSION,
        "source": name,
        "timesteps": timesteps,
        "decisions": list(sentences),
        "layers": [_layer(each) for each in layers],
    }


def _layer(each: Quantised) -> dict[str, Any]:
    before, layer, codes = each.before, each.layer, each.codes
    error = np.abs(codes.codes * codes.unit - before.weights)
    there = before.weights != 0
    entry: dict[str, Any] = {
        "layer": layer.name,
        "sources": list(layer.sources),
        "inputs": list(layer.input_shape),
        "outputs": list(layer.output_shape),
        "window": None if layer.window is None else list(layer.window.numbers),
        "weights": {
            "exact": codes.exact,
            "code": codes.code,
            "bits": codes.bits,
            "fraction_bits": layer.fraction_bits,
            "unit": codes.unit,
            "largest": float(np.abs(before.weights).max()),
            "largest_error": float(error.max()),
            "mean_error": float(error[there].mean()) if there.any() else 0.0,
        },
        "leak": [before.keep, layer.keep],
        "bias_error": float(np.abs(layer.bias * each.one - before.drive.bias).max()),
        "notes": list(each.notes),
    }
    if layer.beside:
        entry["beside"] = [
            {
                "sources": list(arm.sources),
                "inputs": list(arm.input_shape),
                "window": None if arm.window is None else list(arm.window.numbers),
            }
            for arm in layer.beside
        ]
    if layer.spiking:
        after = layer.threshold * each.one
        entry["threshold"] = [float(before.threshold.min()), float(before.threshold.max())]
        entry["threshold_error"] = float(np.abs(after - before.threshold).max())
        entry["reset"] = layer.reset
    return entry


def lines(document: dict[str, Any]) -> list[str]:
    """The contract in words, a line a fact."""
    found = [f"{document['source']}: {len(document['layers'])} layers, T = {document['timesteps']}"]
    found += [f"  {sentence}" for sentence in document["decisions"]]
    checked = document.get("checked")
    if checked is not None:
        found.append(
            f"  on the sample of {checked['inputs']} its layers fire as the model does: "
            f"{checked['different']} of {checked['spikes']:,} spikes differ"
        )
    for layer in document["layers"]:
        weights = layer["weights"]
        kind = (
            f"{weights['bits']} bits, {weights['code']}, {weights['fraction_bits']} fraction bits"
        )
        if weights["exact"]:
            said = f"weights exact ({kind})"
        else:
            said = (
                f"weights of {kind}: largest error {weights['largest_error']:.3g}, mean "
                f"{weights['mean_error']:.3g}, of {weights['largest']:.3g}"
            )
        found.append(f"  {layer['layer']} {layer['inputs']} -> {layer['outputs']}: {said}")
        for arm in layer.get("beside", []):
            own = arm["sources"] == [layer["layer"]]
            what = "its own spikes of the step before" if own else ", ".join(arm["sources"])
            found.append(f"    and {what}, {arm['inputs']}")
        if "threshold" in layer:
            low, high = layer["threshold"]
            found.append(
                f"    threshold {low:g} to {high:g}, error {layer['threshold_error']:.3g}; "
                f"bias error {layer['bias_error']:.3g}; keeps {layer['leak'][1]:g} of v a step"
            )
        found += [f"    CHANGED: {note}" for note in layer["notes"]]
    return found
