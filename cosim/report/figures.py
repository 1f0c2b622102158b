"""What a run says: accuracies and losses with their intervals, and what the chip itself would take.

Every figure is of a number of images: those that a level got, or, where levels are to be compared,
those that the RTL got.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cosim.record.record import LEVELS, Level, RunRecord
from sw.attack.set_names import CLEAN, KINDS
from sw.common.intervals import Interval, paired, wilson

PJ_PER_SYNAPTIC_OP = 2.64  # Kuang et al., TCAS-II 68(7), 2021; no other part of the chip is in it


class Points(NamedTuple):
    """A figure in per cent or points, the ends of its interval of 95 %, and of how many images."""

    value: float
    low: float
    high: float
    images: int


@dataclass(frozen=True)
class LayerFigures:
    """A layer's share of `Hardware`, per image; `cycles` only if it is streamed."""

    synaptic_ops: float
    cycles: float | None
    flits: float
    energy_nj: float


@dataclass(frozen=True)
class Hardware:
    """What the chip takes by the RTL's counters, per image of all sets, and at its clock.

    Loading, input and read-back are in it. The energy is that of synaptic operations alone.
    """

    clock_mhz: float
    pj_per_synaptic_op: float
    synaptic_ops_per_image: float
    cycles_per_image: float
    flits_per_image: float
    energy_nj_per_image: float
    ticks_per_s: float
    images_per_s: float
    layers: dict[str, LayerFigures]


def right(run: RunRecord, name: str, level: Level, *, sample: bool = False) -> list[bool]:
    """Which images of a set a level has right; with `sample`, only of those that the RTL got."""
    count = run.rtl_images if sample else len(run.sets[name].predictions[level])
    answers = run.sets[name].predictions[level][:count]
    return [answer == label for answer, label in zip(answers, run.labels, strict=False)]


def accuracy(run: RunRecord, name: str, level: Level, *, sample: bool = False) -> Points:
    """Right answers in per cent, with Wilson's interval."""
    found = right(run, name, level, sample=sample)
    return _points(sum(found) / len(found), wilson(sum(found), len(found)), len(found))


def adversarial_loss(run: RunRecord, level: Level, *, sample: bool = False) -> dict[str, Points]:
    """Clean accuracy minus that under each attack, with Newcombe's interval for paired shares.

    Empty without the clean set.
    """
    if CLEAN not in run.sets:
        return {}
    clean = right(run, CLEAN, level, sample=sample)
    losses = {}
    for name in attacks(run):
        found = right(run, name, level, sample=sample)
        loss = (sum(clean) - sum(found)) / len(clean)
        losses[name] = _points(loss, paired(clean, found), len(clean))
    return losses


def worst(run: RunRecord, level: Level, *, sample: bool = False) -> dict[str, Points]:
    """Images that a level has right clean and in every set of a strength, by strength in 1/255.

    Of strengths that at least two sets have.
    """
    found = {}
    for eps, names in _by_strength(run).items():
        stands = zip(*(right(run, name, level, sample=sample) for name in names), strict=True)
        every = [all(answers) for answers in stands]
        found[eps] = _points(sum(every) / len(every), wilson(sum(every), len(every)), len(every))
    return found


def _by_strength(run: RunRecord) -> dict[str, list[str]]:
    """The sets of each strength that several have, the clean one with them."""
    found: dict[str, list[str]] = {}
    for name in attacks(run):
        kind, _, eps = name.rpartition("_")
        if kind in KINDS:  # others are files, whatever their names are
            found.setdefault(eps, []).append(name)
    clean = [name for name in run.sets if name == CLEAN]
    return {eps: [*clean, *names] for eps, names in found.items() if len(names) > 1}


def attacks(run: RunRecord) -> list[str]:
    """All sets but the clean one."""
    return [name for name in run.sets if name != CLEAN]


def images(run: RunRecord) -> dict[Level, int]:
    """Of how many images per set each level's figures are."""
    first = next(iter(run.sets.values()))
    return {level: len(first.predictions[level]) for level in LEVELS}


def mismatches(run: RunRecord) -> int:
    """Everything that is not as it must be, of RTL against golden and golden against network."""
    return sum(
        chosen.mismatched_spikes + chosen.mismatched_membranes + chosen.mapping_mismatches
        for chosen in run.sets.values()
    )


def source(run: RunRecord) -> str:
    """Where the images come from, in words."""
    replayed = run.facts.replayed
    return f"images of {replayed}" if replayed else f"images drawn by seed {run.facts.seed}"


def hardware(run: RunRecord) -> Hardware:
    """What the chip would take for an image; of all sets together."""
    rtl, clock = run.rtl, run.clock_mhz * 1e6
    count = run.rtl_images * len(run.sets)
    operations = total(run, "synaptic_ops")
    layers = {
        name: LayerFigures(
            synaptic_ops=_rounded(layer.synaptic_ops / count),
            cycles=None if layer.cycles is None else _rounded(layer.cycles / count),
            flits=_rounded(layer.flits / count),
            energy_nj=_rounded(_energy_nj(layer.synaptic_ops / count)),
        )
        for name, layer in rtl.layers.items()
    }
    return Hardware(
        clock_mhz=run.clock_mhz,
        pj_per_synaptic_op=PJ_PER_SYNAPTIC_OP,
        synaptic_ops_per_image=_rounded(operations / count),
        cycles_per_image=_rounded(rtl.cycles / count),
        flits_per_image=_rounded(total(run, "flits") / count),
        energy_nj_per_image=_rounded(_energy_nj(operations / count)),
        ticks_per_s=_rounded(clock * rtl.ticks / rtl.cycles),
        images_per_s=_rounded(clock * count / rtl.cycles),
        layers=layers,
    )


def total(run: RunRecord, counter: str) -> int:
    """A counter of the RTL, all cores together."""
    return sum(map(sum, run.rtl.counters[counter]))


def _energy_nj(operations: float) -> float:
    return operations * PJ_PER_SYNAPTIC_OP / 1000


def _points(share: float, interval: Interval, count: int) -> Points:
    low, high = interval
    return Points(100 * share, 100 * low, 100 * high, count)


def _rounded(value: float) -> float:
    return round(value, 3)
