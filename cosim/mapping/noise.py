"""Threshold noise: the cores' stochastic neurons, switched on in a program that has none.

With noise of n bits a neuron fires if v >= threshold + (lfsr & 2^n - 1), see `hw.spec`. A core's
LFSR starts at its seed with every stimulus, so noise differs between neurons, ticks and cores.
Every block of 100 images of the sample (`sw.attack.image_sets.BLOCK`) draws the cores' seeds anew.
An image's noise depends on its number in the sample alone: a streamed tile is done by the core that
would do it if the run began with the block.
"""

from dataclasses import replace
from itertools import chain

import numpy as np

from cosim.mapping.choose import Mapping
from cosim.mapping.streamed import LayerSchedule, Schedule
from cosim.program.program import Program
from hw.spec import LFSR_BITS
from sw.common.errors import InputError
from sw.integer.network import IntegerLayer

MAX_BITS = LFSR_BITS


def check_bits(bits: int) -> None:
    """Raises `InputError` unless noise can have so many bits."""
    if not 0 <= bits <= MAX_BITS:
        raise InputError(f"{bits} bits of noise: must be 0 to {MAX_BITS}, as many as the LFSR has")


def with_noise(mapping: Mapping, bits: int, seed: int, before: int = 0) -> Mapping:
    """The same with noise in all layers that fire; without any for 0 bits.

    The first image that is shown comes behind `before` others of its block.
    """
    check_bits(bits)
    if not bits:
        return mapping
    random = np.random.default_rng([seed, bits])
    if isinstance(mapping, Program):
        firing = [np.unique(layer.core).tolist() for layer in mapping.layers[:-1]]
        silent = {core.number for core in mapping.cores} - set(chain.from_iterable(firing))
        return _noisy(mapping, bits, random, silent)
    layers = tuple(_noisy_layer(layer.behind(before), bits, random) for layer in mapping.layers)
    return Schedule(mapping.shape, mapping.timesteps, layers)


def relative(bits: int, layers: tuple[IntegerLayer, ...]) -> float:
    """The largest noise as a share of the median threshold of these layers' neurons."""
    thresholds = [
        np.repeat(layer.threshold, int(np.prod(layer.output_shape[1:])))
        for layer in layers
        if layer.spiking
    ]
    return ((1 << bits) - 1) / float(np.median(np.concatenate(thresholds)))


def _noisy_layer(layer: LayerSchedule, bits: int, random: np.random.Generator) -> LayerSchedule:
    if not layer.layer.spiking:
        return layer
    rounds = tuple(
        replace(part, program=_noisy(part.program, bits, random, set())) for part in layer.rounds
    )
    return replace(layer, rounds=rounds)


def _noisy(program: Program, bits: int, random: np.random.Generator, silent: set[int]) -> Program:
    """All cores but those in `silent` with noise, and each with a seed of its own."""
    seeds = random.integers(1, 1 << LFSR_BITS, len(program.cores))
    cores = tuple(
        core
        if core.number in silent
        else replace(core, noise_mask=(1 << bits) - 1, seed=int(core_seed))
        for core, core_seed in zip(program.cores, seeds, strict=True)
    )
    return replace(program, cores=cores)
