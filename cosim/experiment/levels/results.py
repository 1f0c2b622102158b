"""What the two levels of an experiment that are the chip give: golden model and RTL."""

from dataclasses import dataclass, field

from cosim.compare.chips import Comparison
from cosim.experiment.levels.answers import Answer
from cosim.program.runner import Runner, Totals
from cosim.record.record import LayerCounts, Level
from hw.spec import Counter

BATCH = 50  # images at once, of algorithm and golden model


@dataclass(frozen=True)
class Chips:
    """The chips that images are shown to; without RTL the golden model runs alone."""

    golden: Runner
    rtl: Runner | None


@dataclass
class ChipResult:
    """What images came to on the chip.

    Attributes:
        answers: by level, one per image.
        comparison: of golden model and RTL.
        mapping_mismatches: between golden model and integer network.
        totals: what the RTL took; None: it did not run.
        layers: the same layer by layer.
    """

    answers: dict[Level, list[Answer]] = field(default_factory=lambda: {"golden": [], "rtl": []})
    comparison: Comparison = field(default_factory=Comparison)
    mapping_mismatches: int = 0
    totals: Totals | None = None
    layers: dict[str, LayerCounts] = field(default_factory=dict)


def layer_counts(totals: Totals) -> LayerCounts:
    """The record of a layer that had the chip for itself."""
    return LayerCounts(
        cycles=totals.cycles,
        ticks=totals.ticks,
        synaptic_ops=int(totals.counters[Counter.SYNAPTIC_OPS].sum()),
        flits=int(totals.counters[Counter.FLITS].sum()),
    )
