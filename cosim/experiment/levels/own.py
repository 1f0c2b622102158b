"""A user's network, from a network file, on the chip: integer network, golden model, RTL."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.experiment.levels.passes import ReadBack
from cosim.experiment.levels.resident import run_resident
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.experiment.levels.streamed import READ_BACK, run_streamed
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import Mapping
from cosim.program.program import Program
from cosim.program.runner import Runner
from sw.common.errors import InputError
from sw.common.stopwatch import Stopwatch
from sw.data.user_file import UserInputs
from sw.integer.network import IntegerNetwork


@dataclass(frozen=True, eq=False)
class OwnRun:
    """What a run came to; `result` says what the chips made of the inputs."""

    network: IntegerNetwork
    mapping: Mapping
    inputs: UserInputs
    result: ChipResult

    @property
    def different(self) -> bool:
        """Whether RTL and golden model differ."""
        found = self.result.comparison
        return bool(found.mismatched_spikes + found.mismatched_membranes)

    @property
    def equal(self) -> bool:
        """Whether RTL and golden model agree, and golden model and integer network."""
        return not self.different and not self.result.mapping_mismatches

    def accuracy(self, level: Any) -> float | None:
        """Share of right answers; None: there are no labels, or the level did not run."""
        answers, labels = self.result.answers[level], self.inputs.labels
        if labels is None or not answers:
            return None
        return float(np.mean([each.prediction for each in answers] == labels[: len(answers)]))

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        found, totals = self.result.comparison, self.result.totals
        return {
            "network": self.network.name,
            "mapping": "resident" if isinstance(self.mapping, Program) else "streamed",
            "inputs": len(self.inputs.values),
            "integer_against_golden": {"mismatches": self.result.mapping_mismatches},
            "golden_against_rtl": {
                "spikes": found.spikes,
                "membranes": found.membranes,
                "mismatched_spikes": found.mismatched_spikes,
                "mismatched_membranes": found.mismatched_membranes,
                "first": None if found.first is None else str(found.first),
            },
            "predictions": {
                level: [each.prediction for each in answers]
                for level, answers in self.result.answers.items()
            },
            "accuracy": {level: self.accuracy(level) for level in self.result.answers},
            "spikes": self._spikes(),
            "rtl": None
            if totals is None
            else {"cycles": totals.cycles, "ticks": totals.ticks, "wall_s": totals.wall_s},
        }

    def _spikes(self) -> dict[str, dict[str, int]]:
        return {
            level: {
                layer: sum(each.spikes[layer] for each in answers) for layer in answers[0].spikes
            }
            for level, answers in self.result.answers.items()
            if answers
        }


def run_own(
    network: IntegerNetwork, mapping: Mapping, inputs: UserInputs, rtl: Runner | None
) -> OwnRun:
    """All inputs through integer network, golden model and, if there is one, RTL.

    Raises `InputError` for inputs that the network does not take.
    """
    if inputs.spikes != (network.encoding == "spikes"):
        takes = "spikes" if network.encoding == "spikes" else f"images ({network.encoding})"
        raise InputError(f"network {network.name} takes {takes}, the inputs are of the other kind")
    chips = Chips(GoldenRunner(), rtl)
    if isinstance(mapping, Program):
        result = run_resident(mapping, network, inputs.values, chips, Stopwatch())
    else:
        read_back = ReadBack(READ_BACK, 0)
        result = run_streamed(mapping, network, inputs.values, chips, read_back)
    return OwnRun(network, mapping, inputs, result)
