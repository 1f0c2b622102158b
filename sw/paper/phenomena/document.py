"""The phenomena as JSON and as Markdown."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from sw.common.templates import environment, markdown
from sw.data.datasets import IN_PACKAGE
from sw.files.store import Result
from sw.model.config.network import NetworkConfig
from sw.paper.cells import WEIGHTS, Training
from sw.paper.phenomena import grid
from sw.paper.phenomena.verdicts.claims import Part, mean
from sw.paper.phenomena.verdicts.estimate import Estimate, Sample, everything
from sw.paper.phenomena.verdicts.verdict import NAMES, Answer, Verdict
from sw.paper.phenomena.verdicts.view import Condition, Trials, View
from sw.paper.presets import PRESETS, Scale
from sw.paper.tables.tables import QUANTISATION, STRENGTHS

SCHEMA = 1


@dataclass(frozen=True)
class Outcome:
    """A finished grid.

    Attributes:
        scale: its size.
        trials: what was measured.
        verdicts: a claim each.
        trained: by the network's key, what it is and what its training gave.
    """

    scale: Scale
    trials: Trials
    verdicts: tuple[Verdict, ...]
    trained: dict[str, tuple[Training, Result]]

    @property
    def network(self) -> NetworkConfig:
        """One of the networks; they differ in norm, encoding and threshold only."""
        task, _ = next(iter(self.trained.values()))
        return task.network


def as_json(outcome: Outcome) -> dict[str, Any]:
    """All verdicts, and the figures of all networks as means over the seeds."""
    return {
        "schema_version": SCHEMA,
        "scale": asdict(outcome.scale),
        "claims": [_claim(verdict) for verdict in outcome.verdicts],
        "figures": [dict(zip(_head(outcome.scale), row, strict=True)) for row in figures(outcome)],
        "networks": {
            name: {
                "encoding": task.network.encoding,
                "theta": task.network.theta_conv,
                "norm": task.network.norm,
                "seed": task.settings.seed,
                **result,
            }
            for name, (task, result) in outcome.trained.items()
        },
    }


def _changed(scale: Scale) -> dict[str, Any]:
    """What is not as in the preset of the phenomena, by its key in a TOML file."""
    usual = asdict(PRESETS["phenomena"])
    return {key: value for key, value in asdict(scale).items() if value != usual[key]}


def as_markdown(outcome: Outcome) -> str:
    """Each claim with the figures that test it and its verdict; then all figures."""
    minutes = sum(result.get("seconds", 0) for _, result in outcome.trained.values()) / 60
    return markdown(
        environment("sw.paper.phenomena", "."),
        "phenomena.md.j2",
        scale=outcome.scale,
        changed=_changed(outcome.scale),
        in_folder=outcome.scale.dataset.partition(":")[0] not in IN_PACKAGE,
        network=outcome.network,
        networks=len(outcome.trained),
        failed=sum("failed" in result for _, result in outcome.trained.values()),
        minutes=f"{minutes:.0f}",
        verdicts=[
            {
                "claim": verdict.claim,
                "short": verdict.short,
                "counted": verdict.counted,
                "sentence": verdict.sentence,
                "head": [
                    *(NAMES[factor] for factor in verdict.claim.factors),
                    *(_title(part, verdict.claim.unit) for part in verdict.claim.parts),
                    "so it is",
                ],
                "rows": [
                    [*answer.where, *map(interval, answer.estimates), answer.label]
                    for answer in verdict.answers
                ],
                "whole": [*map(interval, verdict.whole.estimates), verdict.whole.label],
            }
            for verdict in outcome.verdicts
        ],
        near_guessing=near_guessing(outcome),
        marks=list(zip(STRENGTHS, outcome.scale.eps, strict=False)),
        head=_head(outcome.scale),
        figures=[list(map(_shown, row)) for row in figures(outcome)],
    )


def interval(found: Estimate | None) -> str:
    """A figure with its interval."""
    if found is None:
        return "-"
    value, low, high = (round(number, 1) + 0.0 for number in (found.value, found.low, found.high))
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


def figures(outcome: Outcome) -> Iterator[list[str | float | None]]:
    """A row for each network, threshold and weights: means over seeds, or None."""
    scale = outcome.scale
    choices = product(grid.NORMS, grid.LEARNT, scale.encodings, scale.thetas, WEIGHTS)
    for norm, learnt, encoding, theta, weights in choices:
        views = {way: seen(outcome, Condition(norm, learnt, way)) for way in grid.ways(scale)}
        case = encoding, theta, weights
        first = next(iter(views.values()))
        yield [
            norm,
            learnt,
            encoding,
            theta,
            QUANTISATION[weights],
            _mean([view.accuracy(*case) for view in first], 1),
            _mean([view.activity(*case) for view in first], 3),
            *(
                _mean([view.loss(*case, eps) for view in some], 1)
                for some in views.values()
                for eps in scale.eps
            ),
        ]


def near_guessing(outcome: Outcome) -> list[str]:
    """Networks whose clean accuracy is below twice that of guessing: they have little to lose."""
    limit = 2 * 100 / len(outcome.network.classes)
    found: dict[tuple[str, str, str], list[str]] = {}
    for norm, learnt, encoding, theta, _, accuracy, *_ in figures(outcome):
        if accuracy is not None and float(accuracy) < limit:
            thetas = found.setdefault((str(norm), str(learnt), str(encoding)), [])
            thetas += [str(theta)] if str(theta) not in thetas else []
    return [f"{', '.join(where)}, theta {' and '.join(thetas)}" for where, thetas in found.items()]


def seen(outcome: Outcome, condition: Condition) -> list[View]:
    """The figures under a condition, of each seed."""
    every = everything(outcome.scale.groups)
    return [
        outcome.trials.view(condition, Sample(seed, every)) for seed in grid.seeds(outcome.scale)
    ]


def _head(scale: Scale) -> list[str]:
    strengths = [
        f"{way} {mark}" for way in grid.ways(scale) for mark in STRENGTHS[: len(scale.eps)]
    ]
    return [
        *("batch norm", "training", "encoding", "theta", "weights", "accuracy, %", "activity"),
        *strengths,
    ]


def _claim(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "claim": claim.name,
        "sentence": claim.sentence,
        "unit": claim.unit,
        "figures": [{"name": part.name, "bound": part.bound} for part in claim.parts],
        "verdict": verdict.sentence,
        "counted": verdict.counted,
        "depends_on": [NAMES[factor] for factor in verdict.depends],
        "conditions": [
            dict(zip((NAMES[factor] for factor in claim.factors), answer.where, strict=True))
            | _answer(answer)
            for answer in verdict.answers
        ],
        "all_conditions": _answer(verdict.whole),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.label,
        "figures": [None if found is None else asdict(found) for found in answer.estimates],
    }


def _title(part: Part, unit: str) -> str:
    above = f" (above {part.bound:.1f})" if part.bound else ""
    return f"{part.name}, {unit}{above}"


def _mean(numbers: list[float], digits: int) -> float | None:
    found = mean(numbers)
    return None if math.isnan(found) else round(found, digits)


def _shown(value: str | float | None) -> str:
    return "-" if value is None else str(value)
