"""Modules of PyTorch that are linear: what each does to linear maps of spikes."""

from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.convolution import convolution, window_of
from sw.convert.linear_map import Floats, LinearMap
from sw.convert.traced.flow import Maps, once

LINEAR = (nn.Conv1d, nn.Conv2d, nn.Linear, _BatchNorm, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def passes(module: nn.Module) -> bool:
    """Whether it only gives another shape, or does nothing once the model is trained."""
    return isinstance(module, nn.Flatten | nn.Unflatten | nn.Identity) or "Dropout" in (
        type(module).__name__
    )


def input_shape(module: nn.Module, given: Tensor) -> tuple[int, int, int]:
    """C, H, W of what a first module is given, steps and images before it in any form."""
    sizes = [int(size) for size in given.shape]
    if isinstance(module, nn.Linear):
        return sizes[-1], 1, 1
    if isinstance(module, nn.Conv1d):
        return sizes[-2], 1, sizes[-1]
    if len(sizes) >= 4:
        return sizes[-3], sizes[-2], sizes[-1]
    return sizes[-1], 1, 1


def applied(name: str, module: Any, maps: Maps) -> Maps:
    """What a module of `LINEAR` makes of maps. Raises `InputError` for what cannot be one."""
    where = f"{name} ({type(module).__name__})"
    if isinstance(module, nn.AvgPool2d):
        return averaged(where, maps, module.kernel_size, module.stride, module.padding)
    if isinstance(module, nn.AdaptiveAvgPool2d):
        _, *sizes = next(iter(maps.values())).outputs
        if not np.all(np.asarray(module.output_size) == 1):
            raise InputError(f"{where}: must pool to 1 x 1, or be AvgPool2d")
        return averaged(where, maps, tuple(sizes), 1, 0)
    if isinstance(module, _BatchNorm):
        return _normalised(where, module, maps)
    weights = _array(module.weight)
    bias = np.zeros(len(weights)) if module.bias is None else _array(module.bias)

    def change(each: LinearMap, first: bool) -> LinearMap:
        added = bias if first else 0 * bias
        if isinstance(module, nn.Linear):
            return linear_map.connected(where, each, weights, added)
        whole, window = convolution(where, module, weights, each.outputs[0])
        return linear_map.convolved(where, each, whole, added, window)

    if getattr(module, "padding_mode", "zeros") != "zeros":
        raise InputError(f"{where}: pads with {module.padding_mode}, must be zeros")
    return once(maps, change)


def averaged(where: str, maps: Maps, kernel: Any, stride: Any, padding: Any) -> Maps:
    """An average pool."""
    window = window_of(where, kernel, kernel if stride is None else stride, padding)
    return {
        source: linear_map.pooled(where, each, window, average=True)
        for source, each in maps.items()
    }


def scaled(maps: Maps, factor: Floats, shift: Floats) -> Maps:
    """Times a factor and plus a shift for each channel."""

    def change(each: LinearMap, first: bool) -> LinearMap:
        done = linear_map.scaled(each, factor)
        bias = done.bias + shift if first else done.bias
        return LinearMap(done.weights, bias, done.window, done.inputs)

    return once(maps, change)


def _normalised(where: str, module: Any, maps: Maps) -> Maps:
    """Batch norm as it is after training: a factor and a shift of each channel."""
    if module.running_mean is None:
        raise InputError(f"{where}: has no running statistics, so it depends on the batch")
    mean, variance = _array(module.running_mean), _array(module.running_var)
    factor = 1 / np.sqrt(variance + module.eps)
    shift = np.zeros_like(mean)
    if module.weight is not None:
        factor, shift = factor * _array(module.weight), _array(module.bias)
    return scaled(maps, factor, shift - factor * mean)


def _array(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)
