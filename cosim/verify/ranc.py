"""A program of RANC's on golden model and RTL: do they agree, and with RANC's own answer?"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cosim.compare.chips import Comparison, compare_images
from cosim.golden.runner import GoldenRunner
from cosim.mapping.ranc.translate import Packets, Translation, packets
from cosim.program.runner import Runner
from sw.files.atomic import atomic_write

RESULT = "ranc.json"


@dataclass(frozen=True)
class RancResult:
    """What came of it; `comparison` is RTL against golden, `cycles` are of the RTL."""

    translation: Translation
    golden: Packets
    rtl: Packets
    comparison: Comparison
    cycles: int
    seconds: float

    def lines(self) -> list[str]:
        """In words, a line each."""
        found, given = self.comparison, self.translation
        cores = len(given.program.cores)
        lines = [
            f"grid of {given.network.grid}; {cores} cores do something; {given.ticks} ticks, "
            f"{self.cycles} cycles, {self.seconds:.1f} s in RTL",
            f"RTL against golden: {found.spikes} spikes, {found.membranes} membranes compared, "
            f"{found.mismatched_spikes + found.mismatched_membranes} mismatches",
        ]
        for name, of in (("golden", self.golden), ("RTL", self.rtl)):
            line = f"{name}: {of.reproduced} of {of.expected} packets of RANC's reproduced"
            line += f", {of.surplus} more" if of.surplus else ""
            lines.append(line + (f"; first difference: {of.first}" if of.first else ""))
        if found.first is not None:
            lines.append(f"first mismatch of RTL and golden: {found.first}")
        return lines

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        grid, first = self.translation.network.grid, self.comparison.first
        return {
            "grid": f"{grid.columns}x{grid.rows}",
            "output": list(grid.xy(grid.output)),
            "ticks": self.translation.ticks,
            "cycles": self.cycles,
            "wall_s": round(self.seconds, 3),
            "compared_spikes": self.comparison.spikes,
            "compared_membranes": self.comparison.membranes,
            "mismatched_spikes": self.comparison.mismatched_spikes,
            "mismatched_membranes": self.comparison.mismatched_membranes,
            "first_mismatch": None if first is None else str(first),
            "golden": asdict(self.golden),
            "rtl": asdict(self.rtl),
        }


def run_ranc(translation: Translation, rtl: Runner) -> RancResult:
    """Runs it on both. Raises `InputError` and `SimulationError` as the RTL's runner does."""
    stimuli = [translation.stimulus]
    expected = GoldenRunner().run(translation.program, stimuli)
    start = time.monotonic()
    found = rtl.run(translation.program, stimuli)
    return RancResult(
        translation,
        packets(translation, expected.responses[0]),
        packets(translation, found.responses[0]),
        compare_images(stimuli, expected.responses, found.responses),
        found.totals.cycles,
        time.monotonic() - start,
    )


def save(folder: Path, result: RancResult) -> None:
    """Writes `ranc.json`. Raises `InputError` if it cannot be written."""
    atomic_write(folder / RESULT, json.dumps(result.document(), indent=2).encode() + b"\n")
