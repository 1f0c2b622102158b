"""Spikes between the layers of a streamed network: kept until the last layer has taken them."""

from cosim.experiment.levels.streamed.packed_spikes import PackedSpikes
from cosim.mapping.streamed import LayerSchedule, Schedule


class Flow:
    """What each layer takes, of what the chip is given and what the layers before it gave.

    Layers are added in the order of the schedule.
    """

    def __init__(self, schedule: Schedule, inputs: PackedSpikes) -> None:
        self._layers = schedule.layers
        self._given = {0: inputs}
        self._done = 0

    def into(self, layer: LayerSchedule) -> list[PackedSpikes]:
        """The spikes that each arm of a layer takes."""
        return [PackedSpikes.joined([self._given[feed] for feed in arm]) for arm in layer.feeds]

    def add(self, done: LayerSchedule, spikes: PackedSpikes) -> None:
        """Enters what the next layer gave, before pooling, and drops what no layer takes more."""
        self._done += 1
        self._given[self._done] = spikes.pooled() if done.layer.pool else spikes
        later = self._layers[self._done :]
        wanted = {feed for layer in later for arm in layer.feeds for feed in arm}
        self._given = {feed: kept for feed, kept in self._given.items() if feed in wanted}
