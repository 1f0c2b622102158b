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
from sw.model.network import SpikingLayer, SpikingNetwork
from sw.model.quantise import clip_scale


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
        shape = tuple(layer.weight.shape)
        if network.weight_bits is None:
            found[_name(layer, "weight")] = ("F16", shape)
        else:
            found[_name(layer, "weight")] = ("U8", shape)
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
        name, packed = _name(layer, "weight"), state[_name(layer, "weight")]
        if network.weight_bits is None:
            unpacked[name] = packed.astype(np.float32)
            continue
        scale, levels = unpacked.pop(_name(layer, "scale")), 2**network.weight_bits - 1
        if packed.max() > levels:
            raise InputError(f"{where}: quantised weights of {layer.name} must be 0 to {levels}")
        if scale <= 0:
            raise InputError(f"{where}: the scale of {layer.name} is {scale}, must be above 0")
        layer.scale = torch.from_numpy(scale)
        codes = 2 * packed.astype(np.float32) - levels
        unpacked[name] = codes * (scale / np.float32(levels))
    return unpacked


def _packed(layer: SpikingLayer, bits: int | None) -> dict[str, Array]:
    weight = layer.weight.detach()
    if bits is None:
        largest = float(weight.abs().max())
        if largest > torch.finfo(torch.float16).max:
            raise InputError(
                f"layer {layer.name}: a weight of size {largest:g} does not fit float16, so there"
                " is no compact checkpoint of it"
            )
        return {_name(layer, "weight"): weight.half().numpy()}
    codes, _ = layer.codes(bits)
    scale = clip_scale(weight) if layer.scale is None else layer.scale
    return {
        _name(layer, "weight"): ((codes + 2**bits - 1) // 2).astype(np.uint8),
        _name(layer, "scale"): scale.numpy(),
    }


def _name(layer: SpikingLayer, what: str) -> str:
    return f"layers.{layer.name}.{what}"
