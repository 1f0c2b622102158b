"""A network's weights in few bytes, for checkpoints: exact where they are quantised.

Of a quantised network the forward pass sees no more than Eq. 13's step i = 0..2^K - 1 of each
weight and the layer's scale, so a byte per weight and the scale keep all of it: codes and unit of
the pseudo-node, and with them spikes, gradients by the pixels and the folded network, stay the same
bit for bit. A float network's weights are rounded to float16.
"""

import numpy as np
import torch

from sw.common.errors import InputError
from sw.files.tensorfile import Array, Layout
from sw.model.layer import SpikingLayer
from sw.model.network import SpikingNetwork


def is_scaled(network: SpikingNetwork) -> bool:
    """Whether its weights were read from codes, and so say no longer what their scale is."""
    return any(layer.scale is not None for layer in network.chain)


def pack(network: SpikingNetwork) -> dict[str, Array]:
    """The network's state, its weights as float16, or as steps (uint8) and scale (float32 scalar).

    Raises:
        InputError: a float weight is too large for float16.
    """
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    for layer in network.chain:
        state |= _packed(layer, network.weight_bits)
    return state


def layout(network: SpikingNetwork) -> Layout:
    """Types and shapes of what `pack` makes of the weights; the network may be without memory."""
    found: Layout = {}
    for layer in network.chain:
        kind = "F16" if network.weight_bits is None else "U8"
        for name, weight in zip(_names(layer), layer.weights, strict=True):
            found[name] = (kind, tuple(weight.shape))
        if network.weight_bits is not None:
            found[_name(layer, "scale")] = ("F32", ())
    return found


def unpack(network: SpikingNetwork, state: dict[str, Array], where: str) -> dict[str, Array]:
    """What `pack` made, as the network's state again; the scales are given to its layers.

    Args:
        network: of the layout that the state has.
        state: as from `pack`.
        where: what holds it, for sentences.

    Raises:
        InputError: a step is above 2^K - 1, or a scale is not above 0.
    """
    unpacked = dict(state)
    for layer in network.chain:
        if network.weight_bits is None:
            unpacked |= {name: state[name].astype(np.float32) for name in _names(layer)}
            continue
        scale, levels = unpacked.pop(_name(layer, "scale")), 2**network.weight_bits - 1
        if any(state[name].max() > levels for name in _names(layer)):
            raise InputError(f"{where}: quantised weights of {layer.name} must be 0 to {levels}")
        if scale <= 0:
            raise InputError(f"{where}: the scale of {layer.name} is {scale}, must be above 0")
        layer.scale = torch.from_numpy(scale)
        for name in _names(layer):
            codes = 2 * state[name].astype(np.float32) - levels
            unpacked[name] = codes * (scale / np.float32(levels))
    return unpacked


def _packed(layer: SpikingLayer, bits: int | None) -> dict[str, Array]:
    if bits is None:
        return {
            name: _halved(layer, weight.detach())
            for name, weight in zip(_names(layer), layer.weights, strict=True)
        }
    codes = [layer.codes(bits)[0], *layer.codes_beside(bits)]
    packed: dict[str, Array] = {
        name: ((each + 2**bits - 1) // 2).astype(np.uint8)
        for name, each in zip(_names(layer), codes, strict=True)
    }
    return packed | {_name(layer, "scale"): layer.clip().numpy()}


def _halved(layer: SpikingLayer, weight: torch.Tensor) -> Array:
    largest = float(weight.abs().max())
    if largest > torch.finfo(torch.float16).max:
        raise InputError(
            f"layer {layer.name}: a weight of size {largest:g} does not fit float16, so there"
            " is no compact checkpoint of it"
        )
    return weight.half().numpy()


def _names(layer: SpikingLayer) -> list[str]:
    """Of all its weights."""
    beside = [_name(layer, f"beside.{number}") for number in range(len(layer.beside))]
    return [_name(layer, "weight"), *beside]


def _name(layer: SpikingLayer, what: str) -> str:
    return f"layers.{layer.name}.{what}"
