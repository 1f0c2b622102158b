"""A user's network, from a network file, on the chip: integer network, golden model, RTL."""

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cosim.experiment.levels.chip import run_on_chip
from cosim.experiment.levels.results import ChipResult, Chips
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import Mapping
from cosim.program.program import Program
from cosim.program.runner import Runner
from sw.common.errors import InputError
from sw.common.stopwatch import Stopwatch
from sw.convert.kept.imported import Imported
from sw.convert.steps import costs, levels
from sw.data.user.inputs import UserInputs
from sw.integer.network import IntegerNetwork


@dataclass(frozen=True, eq=False)
class OwnSet:
    """Inputs, and what the chips made of them; `steps`: of the import, with the first of them."""

    inputs: UserInputs
    result: ChipResult
    steps: list[dict[str, Any]]

    @property
    def different(self) -> bool:
        """Whether RTL and golden model differ."""
        found = self.result.comparison
        return bool(found.mismatched_spikes + found.mismatched_membranes)

    @property
    def level_inputs(self) -> int:
        """How many of the inputs, from the first on, went through all levels."""
        return len(self.steps[0]["predictions"]) if self.steps else len(self.inputs.values)

    def accuracy(self, level: Any, count: int | None = None) -> float | None:
        """Share of right answers to the first `count` inputs (None: all).

        None: there are no labels, or the level did not run.
        """
        answers, labels = self.result.answers[level][:count], self.inputs.labels
        if labels is None or not answers:
            return None
        return float(np.mean([each.prediction for each in answers] == labels[: len(answers)]))

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        found, totals = self.result.comparison, self.result.totals
        return {
            "inputs": len(self.inputs.values),
            "level_inputs": self.level_inputs,
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
            "levels": self.levels(),
            "rtl": None
            if totals is None
            else {"cycles": totals.cycles, "ticks": totals.ticks, "wall_s": totals.wall_s},
        }

    def levels(self) -> list[dict[str, Any]]:
        """Accuracy, answers that are the first level's, and spikes, level by level.

        From the network as it was, through each change, to golden model and RTL, all of the first
        `level_inputs` inputs.
        """
        count = self.level_inputs
        spikes = self._spikes(count)
        chips: list[dict[str, Any]] = [
            {
                "step": level,
                "accuracy": self.accuracy(level, count),
                "predictions": [each.prediction for each in answers[:count]],
                "spikes": spikes[level],
            }
            for level, answers in self.result.answers.items()
            if answers
        ]
        return levels([*self.steps, *chips])

    def _spikes(self, count: int | None = None) -> dict[str, dict[str, int]]:
        return {
            level: {
                layer: sum(each.spikes[layer] for each in answers[:count])
                for layer in answers[0].spikes
            }
            for level, answers in self.result.answers.items()
            if answers
        }


@dataclass(frozen=True, eq=False)
class OwnRun:
    """What a run came to, set by set."""

    network: IntegerNetwork
    mapping: Mapping
    sets: dict[str, OwnSet]
    contract: dict[str, Any] | None

    @property
    def different(self) -> bool:
        """Whether RTL and golden model differ."""
        return any(each.different for each in self.sets.values())

    @property
    def equal(self) -> bool:
        """Whether RTL and golden model agree, and golden model and integer network."""
        return not self.different and not any(
            each.result.mapping_mismatches for each in self.sets.values()
        )

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "network": self.network.name,
            "mapping": "resident" if isinstance(self.mapping, Program) else "streamed",
            "sets": {name: each.document() for name, each in self.sets.items()},
            "contract": self.contract,
        }


def named(paths: Sequence[Path]) -> dict[str, Path]:
    """Sets by the names of their files. Raises `InputError` if two have the same."""
    found = {path.stem or str(path): path for path in paths}
    if len(found) < len(paths):
        raise InputError(
            f"two of {', '.join(map(str, paths))} have one name: a set is called as its file is"
        )
    return found


def run_own(
    network: IntegerNetwork,
    mapping: Mapping,
    sets: Named[str, UserInputs],
    rtl: Runner | None,
    imported: Imported | None = None,
    most: int | None = None,
) -> OwnRun:
    """All inputs through integer network, golden model and, if there is one, RTL.

    With what the network was `imported` from, the first `most` of each set (None: all) also go
    through each step of the import, in floats of 64 bits.

    Raises `InputError` for inputs that the network does not take.
    """
    chips = Chips(GoldenRunner(), rtl)
    done = {
        name: OwnSet(
            each,
            run_on_chip(mapping, network, each.values, chips, Stopwatch()),
            [] if imported is None else costs(imported, each if most is None else each.first(most)),
        )
        for name, each in sets.items()
    }
    return OwnRun(network, mapping, done, None if imported is None else imported.document)
