"""Relays: neurons that hand a spike on a tick later, so that branches of a network meet.

On a resident chip a layer's spikes are consumed in the tick after they are fired. A layer whose
sources are not all one layer above it would get some spikes of a timestep too early: these go
through relays, a copy of the source's neurons for each tick that they must wait. A layer's own
spikes come a tick later, which is a timestep later, and need none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sw.common.checks import Shape
from sw.integer.network import Feeds, IntegerLayer
from sw.integer.window import Window
from sw.model.geometry import Geometry

ONE = Geometry(1)


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer that is on the chip with all others, or a relay.

    Attributes:
        feeds: where its inputs come from: 0 what is streamed in, n + 1 the n-th stage.
        delay: its timestep t happens in tick t + `delay`.
        relay: it is none of the network's layers.
    """

    layer: IntegerLayer
    feeds: Feeds
    delay: int
    relay: bool = False


@dataclass(frozen=True, eq=False)
class Pipeline:
    """All stages in order, and C, H, W of the `inputs` that are streamed into them."""

    inputs: Shape
    stages: tuple[Stage, ...]

    @property
    def channels(self) -> tuple[int, ...]:
        """Of what is streamed in, then of each stage."""
        return (self.inputs[0], *(stage.layer.features for stage in self.stages))


def pipeline(layers: Sequence[IntegerLayer], feeds: Sequence[Feeds], inputs: Shape) -> Pipeline:
    """The layers in order, each relay before the first layer that needs it.

    `feeds` are the layers', numbered as a `Stage`'s; `inputs` is C, H, W of what is streamed in.
    """
    made: list[Stage] = []
    delay = {0: -1}  # of each layer by its number in `feeds`
    at = {(0, 0): 0}  # the number of the stage that has these spikes so many ticks late
    for number, (layer, arms) in enumerate(zip(layers, feeds, strict=True), 1):
        sources = sorted({feed for arm in arms for feed in arm} - {number})
        delay[number] = 1 + max(delay[source] for source in sources)
        for source in sources:
            name, shape = "input", inputs
            if source:
                name, shape = layers[source - 1].name, layers[source - 1].pooled_shape
            for late in range(1, delay[number] - delay[source]):
                if (source, late) not in at:
                    copy = _relay(f"{name}+{late}", shape)
                    before = ((at[source, late - 1],),)
                    made.append(Stage(copy, before, delay[source] + late, relay=True))
                    at[source, late] = len(made)
        at[number, 0] = len(made) + 1
        late_by = {source: delay[number] - 1 - delay[source] for source in sources} | {number: 0}
        where = tuple(tuple(at[feed, late_by[feed]] for feed in arm) for arm in arms)
        made.append(Stage(layer, where, delay[number]))
    return Pipeline(inputs, tuple(made))


def _relay(name: str, shape: Shape) -> IntegerLayer:
    """Fires what comes in: one synapse of weight 1 a neuron, threshold 1, back to 0."""
    channels = shape[0]
    return IntegerLayer(
        name=name,
        kind="conv",
        weights=np.eye(channels, dtype=np.int32)[..., None, None],
        weight_bits=2,
        fraction_bits=0,
        threshold=np.ones(channels, np.int64),
        bias=np.zeros(channels, np.int64),
        leak=None,
        reset="zero",
        spiking=True,
        pool=False,
        input_shape=shape,
        window=Window(ONE, ONE),
        code="twos",
    )
