"""The currents of cores that hear the same spikes, in the way that is the least work."""

import torch

from cosim.golden.batched.spikes import Spikes
from cosim.golden.batched.weights import Bytes, Floats, Sums, has_int8
from cosim.golden.cores.synapses import Synapses

# Of many rows, the share of the axons that spike from which on a product with all weights is faster
# than adding up those of the axons that do: in whole numbers of 8 bits, and in floats. Of few rows
# it is more, for a product begins with reading all weights, which takes as long as so many rows.
DENSE_INT8, DENSE_FLOAT, READING = 0.04, 0.4, 10
Merged = Floats | Bytes | None


class Currents:
    """Sums of weights on a device; what was merged is kept, up to `most` bytes of it."""

    def __init__(self, device: torch.device, most: int) -> None:
        self._device, self._most = device, most
        self._kept: dict[tuple[type, tuple[Synapses, ...]], Merged] = {}

    def of(self, synapses: tuple[Synapses, ...], spikes: Spikes) -> Sums:
        """I of cores with these synapses, all of which hear the same spikes."""
        many = spikes.share * spikes.rows / (spikes.rows + READING)
        if many >= DENSE_INT8 and has_int8(self._device):
            found = self._merged(Bytes, synapses)
            if isinstance(found, Bytes):
                return found.multiplied(spikes)
        floats = self._merged(Floats, synapses)
        assert isinstance(floats, Floats)
        return floats.multiplied(spikes) if many >= DENSE_FLOAT else floats.added(spikes)

    def _merged(self, kind: type[Floats] | type[Bytes], synapses: tuple[Synapses, ...]) -> Merged:
        if (kind, synapses) not in self._kept:
            found = kind.of(synapses, self._device)
            taken = [each.rows.nbytes for each in (found, *self._kept.values()) if each is not None]
            if sum(taken) > self._most:
                self._kept.clear()
            self._kept[kind, synapses] = found
        return self._kept[kind, synapses]
