"""What a run has shown, in a sentence: for the report, the command line and other documents."""

from typing import NamedTuple

from cosim.record.record import RunRecord
from cosim.report.figures import mismatches
from sw.attack.set_names import zero_gradients


class Verdict(NamedTuple):
    """The run in one sentence. `first` is {set: its first mismatch}.

    `tested` says whether there were spikes that could have differed: a run without is not green.
    """

    equal: bool
    tested: bool
    headline: str
    detail: str
    first: dict[str, str]


def verdict(run: RunRecord) -> Verdict:
    """Whether RTL equals golden, and golden the network; for the page and the command line."""
    sets = run.sets.values()
    spikes = sum(chosen.compared_spikes for chosen in sets)
    membranes = sum(chosen.compared_membranes for chosen in sets)
    wrong_spikes = sum(chosen.mismatched_spikes for chosen in sets)
    wrong_membranes = sum(chosen.mismatched_membranes for chosen in sets)
    wrong_mapping = sum(chosen.mapping_mismatches for chosen in sets)
    equal = not mismatches(run) and membranes > 0
    compared = f"{spikes:,} spikes, {membranes:,} membranes compared"
    if not wrong_spikes + wrong_membranes and membranes and not spikes:
        headline = "0 spikes compared: nothing was tested. The network is silent on the chip"
    elif not wrong_spikes + wrong_membranes and membranes:
        headline = f"RTL equals golden: {compared}, 0 mismatches"
    elif not membranes:
        headline = "RTL and golden were not compared: there was nothing to compare"
    else:
        headline = (
            f"RTL differs from golden: {wrong_spikes:,} spikes and "
            f"{wrong_membranes:,} membranes mismatched; {compared}"
        )
    detail = (
        "The golden model in turn gives the spikes and outputs of the integer network, "
        "computed as plain convolutions and matrix products."
        if not wrong_mapping
        else f"The golden model differs from the integer network in {wrong_mapping:,} "
        "spikes and outputs: the mapping is wrong."
    )
    if run.noise.bits:
        detail = (
            f"The neurons' thresholds have noise of {run.noise.bits} bits, which the integer "
            "network has not: golden was not compared with it."
        )
    if run.chip.mapping == "streamed":
        detail += (
            f" Membranes were read after {100 * run.rtl.read_back:.0f} % of the passes, "
            "drawn by the seed, and those of the output layer always."
        )
    first = {name: one.first_mismatch for name, one in run.sets.items()}
    return Verdict(
        equal, spikes > 0, headline, detail, {name: one for name, one in first.items() if one}
    )


def cautions(run: RunRecord) -> list[str]:
    """What makes figures say less than they seem to: nothing to compare, nothing to attack along.

    Such a run can be equal everywhere and lose nothing under attack, and has shown neither.
    """
    silent = [name for name, chosen in run.sets.items() if not chosen.compared_spikes]
    zero = {name: chosen.zero_gradients for name, chosen in run.sets.items()}
    of_spikes = f"0 spikes compared in {', '.join(silent)}: nothing was tested there"
    return [*([of_spikes] if silent else []), *zero_gradients(zero, len(run.labels))]
