"""The test cases of a run: in each set RTL against golden, golden against the network."""

from collections.abc import Sequence
from pathlib import Path

from cosim.record.record import REPORT_FILE, RUN_FILE, SUMMARY_FILE, RunRecord
from cosim.report.ci.junit import Case

MISMATCH_FOLDER = "mismatch"  # where a run leaves waves and replay file of its first mismatch


def cases(run: RunRecord, folder: Path) -> Sequence[Case]:
    """Two for each set; `folder` is where the run's files are, which go with failures."""
    files = [folder / name for name in (REPORT_FILE, SUMMARY_FILE, RUN_FILE, MISMATCH_FOLDER)]
    found = []
    for name, chosen in run.sets.items():
        wrong = chosen.mismatched_spikes + chosen.mismatched_membranes
        compared = f"{chosen.compared_spikes} spikes, {chosen.compared_membranes} membranes"
        failure = ""
        if wrong:
            failure = f"{wrong} mismatches in {compared}; the first: {chosen.first_mismatch}"
        elif not chosen.compared_membranes:
            failure = "nothing was compared"
        found.append(
            Case(
                name=f"{name}: RTL equals golden",
                group=f"nc64c.cosim.{run.network}",
                seconds=run.rtl.wall_s / len(run.sets),
                failure=failure,
                output=f"{compared} compared, {wrong} mismatches",
                attachments=files if failure else files[:1],
            )
        )
        if run.noise.bits:
            continue  # the network has none, and golden was not compared with it
        off = chosen.mapping_mismatches
        failure = f"{off} spikes and outputs differ: the mapping is wrong" if off else ""
        found.append(
            Case(
                name=f"{name}: golden equals network",
                group=f"nc64c.cosim.{run.network}",
                failure=failure,
                attachments=files if failure else (),
            )
        )
    return found
