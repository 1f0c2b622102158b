"""Shards: some images of one set, at all levels, as one piece of work with one file.

A shard is named by everything that goes into it, so what it gives is the same whoever computes it,
and one that is finished is found again. How many images it has does not depend on who works.
"""

import hashlib
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from cosim.experiment.images.image_file import ImageSets
from cosim.golden.batched.choice import NUMPY, GoldenChoice
from cosim.record.chip_facts import Amount, Count, Grid, Record
from cosim.record.record import Failing, LayerCounts, Level, Prediction, Spikes
from cosim.rtl.choice import OURS, Choice
from hw.spec import ChipShape
from sw.attack.image_sets import BLOCK
from sw.data.dataset import Images

VERSION = 3  # counts up when the same settings come to mean another result
SHARD = BLOCK  # images at most: a layer's weights are loaded once for so many


class RtlCounts(Record, frozen=True, kw_only=True):
    """What the RTL took; `counters` is {counter's name in lower case: per core}."""

    ticks: Count
    cycles: Count
    wall_s: Amount
    counters: dict[str, Grid]
    layers: dict[str, LayerCounts]


class Result(Record, frozen=True, kw_only=True):
    """What a shard gave.

    Attributes:
        predictions: by level, a class per image.
        spikes: by layer and level, of all images.
        spikes_compared, membranes_compared: golden's.
        spikes_mismatched, membranes_mismatched: between golden and RTL.
        first_mismatch: in words; None: there is none.
        failing: the same, for programs.
        mapping_mismatches: between golden and the network as convolutions; with noise 0, as the
            network has none.
        rtl: None, if it did not run in RTL.
        seconds: by stage.
    """

    predictions: dict[Level, list[Prediction]]
    spikes: Spikes
    spikes_compared: Count
    membranes_compared: Count
    spikes_mismatched: Count
    membranes_mismatched: Count
    first_mismatch: str | None
    failing: Failing | None = None
    mapping_mismatches: Count
    rtl: RtlCounts | None
    seconds: dict[str, Amount]


@dataclass(frozen=True)
class RunSettings:
    """What all shards of a run have in common.

    Attributes:
        checkpoint: the network's, as the file has it.
        shape: the chip's.
        seed: of the read-back and the noise.
        noise_bits: of the neurons' thresholds; 0: none.
        front_door: the weights are loaded as packets.
        code: `code_hash` of who asks: whoever works must have the same.
        rtl: whose RTL, and in which simulator.
        golden: which golden model.
    """

    checkpoint: bytes
    shape: ChipShape
    seed: int
    noise_bits: int
    front_door: bool
    code: str
    rtl: Choice = OURS
    golden: GoldenChoice = NUMPY


@dataclass(frozen=True, eq=False)
class Shard:
    """Images of one set.

    Attributes:
        common: what it shares with others.
        set: the set's name.
        first: the first image's number in it.
        images: as network and chip are shown them, uint8 [n, C, H, W], or spikes [n, T, C, H, W].
        rtl: whether they go through the RTL too, or only up to the golden model.
    """

    common: RunSettings
    set: str
    first: int
    images: Images
    rtl: bool

    @property
    def settings(self) -> dict[str, Any]:
        """All that goes into it, as JSON has it."""
        common = asdict(replace(self.common, rtl=OURS))
        del common["rtl"]  # by its name here it is whether the images go through it
        return {
            **common,
            "kind": "shard",
            "version": VERSION,
            "checkpoint": _digest(self.common.checkpoint),
            "rtl_source": self.common.rtl.settings,
            "set": self.set,
            "first": self.first,
            "images": _digest(self.images.tobytes()),
            "shape_of_images": list(self.images.shape),
            "rtl": self.rtl,
        }


def plan(common: RunSettings, content: ImageSets, rtl_images: int) -> list[Shard]:
    """The shards of a run, set by set; the first `rtl_images` go through the RTL too.

    None reaches over a block of `SHARD` images: those of one have their noise in common, however
    many of them are for the RTL.
    """
    cuts = sorted({*range(0, len(content), SHARD), rtl_images, len(content)})
    return [
        Shard(common, name, start, one.images[start:end], rtl=start < rtl_images)
        for name, one in content.sets.items()
        for start, end in pairwise(cuts)
    ]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
