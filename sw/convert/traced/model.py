"""From a trained model and a sample to an integer network and its contract."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.convert.decisions import Decisions, Given
from sw.convert.float_layer import FloatLayer
from sw.convert.kept.imported import Imported, converted
from sw.convert.steps import run_floats
from sw.convert.traced.normalised import Numbers, normalisation
from sw.convert.traced.tracer import Tracer

ROUNDED = 1e-3  # of the spikes: more that differ are no matter of rounding
Sample = Tensor | Sequence[Tensor]


def import_torch(
    model: nn.Module,
    sample: Sample,
    decisions: Decisions,
    mean: Numbers = None,
    std: Numbers = None,
) -> Imported:
    """The network of a model, followed while it is shown a sample.

    A copy of the model runs in float64 and as after training (batch norm, dropout). The layers
    that come of it are run beside it: they must fire as it does.

    Args:
        model: of PyTorch's layers and neurons of snnTorch or SpikingJelly.
        sample: what the model is called with; a sequence of it is one call a step. A model that
            makes one step a call is shown a single tensor in every step.
        decisions: `inputs` "spikes" stands for what the sample says; reset and firing are the
            model's.
        mean, std: with which images are normalised before the model, the sample's as well; the
            network then takes the images themselves. Both None: they are not normalised.

    Raises `InputError` for what cannot be followed, or what this chip cannot have.
    """
    tracer = _followed(model, sample, decisions.timesteps)
    layers, normalised = tracer.finish(), normalisation(mean, std)
    inputs = _inputs(tracer, layers[0].drive.inputs, decisions.timesteps)
    sentences = [rule.words for rule in tracer.rules.values()]
    if normalised is None:
        decisions = replace(decisions, inputs=_kind(inputs, decisions.inputs))
    else:
        decisions = replace(decisions, inputs=_pixels(inputs, decisions.inputs))
        inputs = normalised.pixels(inputs)
        layers[0] = normalised.folded(layers[0])
        sentences.append(normalised.sentence(layers[0]))
    checked = _checked(tracer, layers, inputs)
    found = converted(type(model).__name__, layers, decisions, sentences)
    found.document["checked"] = checked
    return replace(found, origin="framework")


def _followed(model: nn.Module, sample: Sample, timesteps: int) -> Tracer:
    try:
        own = copy.deepcopy(model).cpu().double().eval()
    except RuntimeError as error:  # of tensors that are part of a gradient
        raise InputError(
            "the model cannot be copied: clear its states first (utils.reset of snnTorch, "
            "functional.reset_net of SpikingJelly)"
        ) from error
    for module in own.modules():
        for forget in ("reset", "reset_mem"):  # states that were left by training
            if callable(getattr(module, forget, None)):
                getattr(module, forget)()
    calls = [sample] if isinstance(sample, Tensor) else list(sample)
    if not calls or not all(isinstance(each, Tensor) for each in calls):
        raise InputError("sample: must be a tensor, or a sequence of one for each step")
    if len(calls) not in (1, timesteps):
        raise InputError(
            f"sample: has {len(calls)} tensors, must be one for each step, {timesteps}"
        )
    calls = [each.detach().cpu().double() for each in calls]
    tracer = Tracer(own, _shape(calls[0]))
    try:
        with torch.no_grad(), tracer:
            for step in range(timesteps):
                one = calls[step % len(calls)]
                tracer.given(one)
                own(one)
                if not step and set(tracer.steps.values()) != {1}:
                    break  # it goes through all steps itself
    except InputError:
        raise
    except Exception as error:
        line = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"the model cannot be run with the sample: {line}") from error
    for name, steps in tracer.steps.items():
        if steps != timesteps:
            raise InputError(f"{name}: made {steps} steps, timesteps is {timesteps}")
    if not tracer.steps:
        raise InputError("the model has no neurons of snnTorch or SpikingJelly")
    return tracer


def _shape(sample: Tensor) -> Shape | None:
    """C, H, W of a sample [n, C, H, W] or [T, n, C, H, W]."""
    if sample.dim() not in (4, 5):
        return None
    channels, height, width = map(int, sample.shape[-3:])
    return channels, height, width


def _inputs(tracer: Tracer, shape: Shape, timesteps: int) -> Tensor:
    """What the first layer was given: float64 [T, n, C, H, W]."""
    rows = torch.cat([each.reshape(-1, int(np.prod(shape))) for each in tracer.inputs])
    name, spikes = next(iter(tracer.spikes.items()))
    neurons = int(np.prod(tracer.layers[name].drive.outputs))
    images = sum(each.numel() for each in spikes) // neurons // timesteps
    if len(rows) == images:
        return rows.reshape(1, images, *shape).expand(timesteps, -1, -1, -1, -1)
    if len(rows) != images * timesteps:
        raise InputError(f"{name}: takes {images} images a step, the input has {len(rows)} in all")
    return rows.reshape(timesteps, images, *shape)


def _kind(inputs: Tensor, wanted: Given) -> Given:
    if wanted != "spikes":
        return wanted
    if bool(((inputs == 0) | (inputs == 1)).all()):
        return "spikes"
    same = bool((inputs == inputs[0]).all())
    if same and float(inputs.min()) >= 0 and float(inputs.max()) <= 1:
        return "direct"
    raise InputError(
        f"the first layer is given {float(inputs.min()):g} to {float(inputs.max()):g}: inputs must "
        "be spikes 0 or 1, or pixels from 0 to 1 that are the same in all steps"
    )


def _pixels(inputs: Tensor, wanted: Given) -> Given:
    """The same of normalised images, which are shown as they are."""
    if wanted not in ("spikes", "direct"):
        raise InputError(f"inputs {wanted!r}: images with a mean and std are shown as they are")
    if not bool((inputs == inputs[0]).all()):
        raise InputError("images with a mean and std: the sample must be the same in all steps")
    return "direct"


def _checked(tracer: Tracer, layers: list[FloatLayer], inputs: Tensor) -> dict[str, Any]:
    """How many spikes the model fires on the sample, and how many of its layers' are others.

    Raises `InputError` if they are more than rounding can be the cause of.
    """
    ours = run_floats(layers, inputs).spikes
    total = different = 0
    for name, spikes in ours.items():
        if name not in tracer.spikes:  # a pool, of spikes that are checked
            continue
        theirs = torch.cat([each.reshape(-1) for each in tracer.spikes[name]])
        wrong = int((theirs != spikes.reshape(-1)).sum())
        total, different = total + int(theirs.sum()), different + wrong
        if wrong > ROUNDED * max(int(theirs.sum()), 1):
            raise InputError(
                f"{name}: {wrong} of its {int(theirs.sum())} spikes on the sample are others than "
                "those of the layers that were made of the model: it does what cannot be followed"
            )
    return {"inputs": int(inputs.shape[1]), "spikes": total, "different": different}
