"""Spikes between the layers of a streamed network: kept until the last layer has taken them."""

from cosim.experiment.levels.packed_spikes import PackedSpikes
from cosim.mapping.streamed import LayerSchedule, Schedule


class Flow:
    """What each layer takes, of what the chip is given and what the layers before it gave.

    Layers are added in the order of the schedule.
    """

    def __init__(self, schedule: Schedule, inputs: PackedSpikes) -> None:
        self._layers = schedule.layers
        self._given = {0: inputs}
        self._done = 0

    def into(self, layer: LayerSchedule) -> PackedSpikes:
        """The spikes that a layer takes."""
        return PackedSpikes.joined([self._given[feed] for feed in layer.feeds])

    def add(self, layer: LayerSchedule, spikes: PackedSpikes) -> None:
        """Enters what the next layer gave, before pooling, and drops what no layer takes more."""
        self._done += 1
        self._given[self._done] = spikes.pooled() if layer.layer.pool else spikes
        wanted = {feed for later in self._layers[self._done :] for feed in later.feeds}
        self._given = {feed: kept for feed, kept in self._given.items() if feed in wanted}
