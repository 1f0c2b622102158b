"""Training that goes on from an import, with the chip's K bits and leaks in its forward pass.

What is trained are codes before they are rounded, and biases; a gradient passes the rounding as it
is (straight through), and a spike as a triangle around its threshold. Weights of 0 stay 0, exact
weights, thresholds and leaks stay as they are. Of all epochs, and of what there was before them,
the one with the most right answers on the data is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sw.common.errors import InputError
from sw.common.progress import Advance
from sw.convert.kept.imported import Imported, tuned_anew
from sw.convert.quantise import Codes, Quantised, Tuning, by_arm, rounded
from sw.convert.steps import float_inputs, linear, pooled
from sw.data.user.inputs import UserInputs
from sw.integer.network import INPUT

BATCH = 50
RATE = 0.03  # of Adam, in codes; of biases, in thresholds
LOGITS = 2.0  # about how far apart outputs are for the loss


@dataclass(frozen=True)
class FineTuning:
    """How long, and the seed of the order of the inputs."""

    epochs: int = 5
    seed: int = 0


def finetune(
    found: Imported,
    data: UserInputs,
    training: FineTuning | None = None,
    advance: Advance = lambda _: None,
) -> Imported:
    """An import trained on: the same floats, other codes and biases. `advance` counts inputs.

    Raises `InputError` if there are no labels, or too few inputs.
    """
    training = training or FineTuning()
    if data.labels is None:
        raise InputError("training on needs inputs with labels")
    if training.epochs < 1:
        raise InputError(f"epochs: is {training.epochs}, must be at least 1")
    labels = torch.from_numpy(data.labels)
    layers = [_Layer(part) for part in found.parts()]
    weights = [each.codes for each in layers if each.codes.requires_grad]
    biases = [each.bias for each in layers if each.bias.requires_grad]
    if not weights:
        raise InputError("all weights are taken exactly as they are: there is nothing to train on")
    optimiser = torch.optim.Adam([*weights, *biases], RATE)
    order = np.random.default_rng(training.seed)
    best, scale = _Best(layers), 0.0
    for epoch in range(training.epochs + 1):
        right = 0
        for chosen in _batches(np.arange(len(labels))):
            with torch.no_grad():
                outputs = _outputs(layers, float_inputs(found.decisions, data.values[chosen]))
            scale = scale or float(outputs.std()) / LOGITS or 1.0
            right += int((outputs.argmax(1) == labels[chosen]).sum())
        best.offer(right)
        for chosen in _batches(order.permutation(len(labels))) if epoch < training.epochs else ():
            outputs = _outputs(layers, float_inputs(found.decisions, data.values[chosen]))
            optimiser.zero_grad()
            loss = F.cross_entropy(outputs / scale, labels[chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            advance(len(chosen))
    return _made(found, best, len(labels))


def _batches(chosen: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return np.array_split(chosen, -(-len(chosen) // BATCH))


class _Layer:
    """A layer of the chip in floats that can be trained."""

    def __init__(self, part: Quantised) -> None:
        self.part = part
        codes, layer = part.codes, part.layer
        raw = part.before.weights / codes.unit if part.tuning is None else codes.codes
        self.mask = torch.from_numpy(part.before.weights != 0)
        self.codes = torch.tensor(np.asarray(raw), dtype=torch.float32)
        threshold = torch.tensor(layer.threshold * part.one, dtype=torch.float32)
        self.threshold = threshold.reshape(-1, 1, 1) if threshold.dim() == 1 else threshold
        self.size = float(self.threshold.abs().mean()) or 1.0
        self.bias = torch.tensor(layer.bias * part.one / self.size, dtype=torch.float32)
        self.keep = layer.keep
        if not codes.exact:
            self.codes.requires_grad_()
            self.bias.requires_grad_()

    def rounded(self) -> Tensor:
        """The codes as they are on the chip; their gradient is that of the codes before."""
        if self.part.codes.exact:
            return self.codes
        near = rounded_tensor(self.codes, self.part.codes)
        return (self.codes + (near - self.codes).detach()) * self.mask

    def run(self, given: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Spikes of all steps [T, n, C, H, W], and the membranes after the last."""
        before, layer = self.part.before, self.part.layer
        weights_of = by_arm(before, self.rounded() * self.part.codes.unit)
        arms = list(zip(before.arms, weights_of, strict=True))
        drive: Any = 0.0
        for arm, weights in arms:
            if layer.name not in arm.sources:
                inputs = torch.cat([given[source] for source in arm.sources], 2)
                drive = drive + linear(inputs, weights, arm.drive.window)
        bias = self.bias * self.size
        drive = drive + (bias.reshape(-1, 1, 1) if bias.dim() == 1 else bias)
        own = [pair for pair in arms if layer.name in pair[0].sources]
        v, spikes = torch.zeros_like(drive[0]), [torch.zeros_like(drive[0])]
        for added in drive:
            v = self.keep * v + added
            for arm, weights in own:
                last = pooled(spikes[-1][None]) if layer.pool else spikes[-1][None]
                v = v + linear(last, weights, arm.drive.window)[0]
            if not layer.spiking:
                continue
            fired: Tensor = _Spike.apply((v - self.threshold) / self.size)  # type: ignore[no-untyped-call]
            spikes.append(fired)
            if layer.reset == "zero":
                v = v * (1 - fired.detach())
            elif layer.reset == "subtract":
                v = v - self.threshold * fired.detach()
        return torch.stack(spikes[1:]) if layer.spiking else drive, v


class _Spike(torch.autograd.Function):
    """1 from 0 on; its gradient is a triangle of height 1 from -1 to 1."""

    @staticmethod
    def forward(context: Any, above: Tensor) -> Tensor:
        context.save_for_backward(above)
        return (above >= 0).to(above.dtype)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        (above,) = context.saved_tensors
        return gradients[0] * (1 - above.abs()).clamp(min=0)


class _Best:
    """The codes and biases with the most right answers so far."""

    def __init__(self, layers: Sequence[_Layer]) -> None:
        self._layers, self._right = layers, -1
        self.kept: list[tuple[Tensor, Tensor]] = []

    def offer(self, right: int) -> None:
        """Keeps what the layers have now, if it is better than all before."""
        if right > self._right:
            self._right = right
            self.kept = [
                (each.codes.detach().clone(), each.bias.detach() * each.size)
                for each in self._layers
            ]


def rounded_tensor(values: Tensor, codes: Codes) -> Tensor:
    """The nearest codes of a kind."""
    near = rounded(values.detach().numpy(), codes.bits, codes.code)
    return torch.from_numpy(near).to(values.dtype)


def _outputs(layers: Sequence[_Layer], inputs: Tensor) -> Tensor:
    """The last layer's membranes, [n, classes]."""
    v = inputs.float()
    given = {INPUT: v}
    for layer in layers:
        spikes, v = layer.run(given)
        given[layer.part.layer.name] = pooled(spikes) if layer.part.layer.pool else spikes
    return v.flatten(1)


def _made(found: Imported, best: _Best, count: int) -> Imported:
    tunings = dict(found.tunings)
    for part, (raw, bias) in zip(found.parts(), best.kept, strict=True):
        if part.codes.exact:
            continue
        near = rounded(raw.numpy().astype(np.float64), part.codes.bits, part.codes.code)
        moved = bias.numpy().astype(np.float64) - part.before.drive.bias
        codes = np.where(part.before.weights != 0, near, 0).astype(np.int32)
        tunings[part.layer.name] = Tuning(part.codes.unit, moved, codes)
    return tuned_anew(found, tunings, f"weights and biases are trained on {count} inputs")
