"""What a chip makes of images: golden model, and for the first of them RTL, compared."""

from dataclasses import dataclass

from cosim.compare.chips import Mismatch
from cosim.experiment.levels.chip import run_on_chip
from cosim.experiment.levels.results import Chips
from cosim.experiment.levels.single import Place
from cosim.experiment.oracle.victim import output_membranes
from cosim.mapping.choose import Mapping
from sw.common.stopwatch import Stopwatch
from sw.data.dataset import Images
from sw.integer.network import IntegerNetwork


@dataclass(frozen=True)
class Shown:
    """Answers, and the comparison of golden model and RTL.

    `first` is their first difference, in words, and `place` its stimulus.
    """

    golden: list[int]
    rtl: list[int]
    spikes: int
    membranes: int
    mismatches: int
    first: str | None
    place: Place | None


def show(
    mapping: Mapping, network: IntegerNetwork, images: Images, chips: Chips, in_rtl: int
) -> Shown:
    """Images through the golden model, the first `in_rtl` through the RTL too."""
    golden = output_membranes(mapping, network, images, chips.golden).argmax(axis=1).tolist()
    if chips.rtl is None or not in_rtl:
        return Shown(golden, [], 0, 0, 0, None, None)
    found = run_on_chip(mapping, network, images[:in_rtl], chips, Stopwatch())
    compared = found.comparison
    wrong = compared.mismatched_spikes + compared.mismatched_membranes
    answers = [answer.prediction for answer in found.answers["rtl"]]
    first = None if compared.first is None else str(compared.first)
    place = None if compared.first is None else _place(compared.first)
    return Shown(golden, answers, compared.spikes, compared.membranes, wrong, first, place)


def _place(found: Mismatch) -> Place:
    layer, number, place = found.stimulus or (None, 0, 0)
    return Place(found.image, 0, layer, number, place)
