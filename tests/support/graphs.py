"""Random integer networks with branches, windows of any kind, and both codes of weights."""

import numpy as np

from sw.common.checks import Shape
from sw.integer.arm import Code, fan_in_of
from sw.integer.network import INPUT, IntegerLayer, IntegerNetwork
from sw.integer.window import Window
from sw.model.geometry import Geometry

TIMESTEPS = 5
INPUTS: Shape = (2, 9, 8)


def random_graph(seed: int) -> IntegerNetwork:
    """A network that takes spikes: windows of several sizes, a branch that is added, an output.

    The second branch skips a layer that keeps height and width; its channels have the weights of
    the first one's, so that the two are added.
    """
    generator = np.random.default_rng(seed)
    first = _layer(generator, "conv1", INPUTS, _window(generator), (INPUT,))
    same = Window(Geometry(3, padding=1), Geometry(3, padding=1))
    second = _layer(generator, "conv2", first.output_shape, same, (), first.features)
    channels, height, width = first.output_shape
    added = _layer(
        generator, "conv3", (2 * channels, height, width), _small(generator), ("conv1", "conv2")
    )
    added.weights[:, channels:] = added.weights[:, :channels]
    hidden = _layer(generator, "fc4", added.pooled_shape, None, ())
    output = _layer(generator, "fc5", hidden.output_shape, None, (), 3, output=True)
    return IntegerNetwork(
        name=f"graph{seed}",
        dataset="spikes",
        encoding="spikes",
        timesteps=TIMESTEPS,
        classes=("a", "b", "c"),
        layers=(first, second, added, hidden, output),
    )


def random_spikes(seed: int, images: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 [images, T, C, H, W], a spike in three places of ten."""
    generator = np.random.default_rng([seed, 1])
    return (generator.random((images, TIMESTEPS, *INPUTS)) < 0.3).astype(np.uint8)


def _window(generator: np.random.Generator) -> Window:
    ways = []
    for _ in range(2):
        kernel = int(generator.integers(1, 6))
        padding = int(generator.integers(0, kernel))
        ways.append(Geometry(kernel, int(generator.integers(1, 3)), padding))
    return Window(*ways)


def _small(generator: np.random.Generator) -> Window:
    kernels = generator.integers(1, 3, 2).tolist()
    return Window(*(Geometry(kernel, padding=kernel - 1) for kernel in kernels))


def _layer(
    generator: np.random.Generator,
    name: str,
    shape: Shape,
    window: Window | None,
    sources: tuple[str, ...],
    features: int = 4,
    *,
    output: bool = False,
) -> IntegerLayer:
    code: Code = "odd" if generator.random() < 0.5 else "twos"
    bits = int(generator.integers(1, 8))
    size = (features, *fan_in_of(window, shape))
    if code == "odd":
        weights = 2 * generator.integers(0, 2**bits, size) - (2**bits - 1)
    else:
        weights = generator.integers(-(2 ** (bits - 1)), max(2 ** (bits - 1), 1), size)
    weights = np.where(generator.random(size) < 0.2, 0, weights)
    fraction = int(generator.integers(0, 7))
    drive = np.sqrt(0.3 * np.sum(np.square(weights), axis=tuple(range(1, len(size)))) + 1)
    threshold = np.rint(drive * 2**fraction * generator.uniform(0.3, 1.2, features))
    bias = np.rint(drive * 2**fraction * generator.normal(0.1, 0.2, features))
    return IntegerLayer(
        name=name,
        kind="fc" if window is None else "conv",
        weights=weights.astype(np.int32),
        weight_bits=bits,
        fraction_bits=fraction,
        threshold=threshold.astype(np.int64),
        bias=bias.astype(np.int64),
        leak=None if output or generator.random() < 0.5 else int(generator.integers(0, 4)),
        reset="none" if output else "zero" if generator.random() < 0.5 else "subtract",
        spiking=not output,
        pool=False,
        input_shape=shape,
        window=window,
        code=code,
        sources=sources,
    )
