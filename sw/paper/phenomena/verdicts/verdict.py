"""The judgement of a claim: shown, refuted, not decided, or what it depends on.

Under one condition a claim is shown where the intervals of all its figures lie above their bounds,
and refuted where one lies below. A factor (batch norm, training, attack) matters where changing it
alone changes that answer, by a difference whose own interval excludes 0: an answer that merely
falls short of being decided is no difference. If factors matter, the claim depends on them;
otherwise the mean over all conditions is judged as one condition is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Literal, TypeVar

from sw.paper.phenomena import grid
from sw.paper.phenomena.verdicts.claims import Claim, Factor, Part
from sw.paper.phenomena.verdicts.estimate import Estimate, FloatArray, Sample, estimate, taken
from sw.paper.phenomena.verdicts.view import Condition, Trials
from sw.paper.presets import Scale

Label = Literal["shown", "refuted", "not decided", "not measured"]
Value = TypeVar("Value")
NAMES: dict[Factor, str] = {"norm": "batch norm", "learnt": "training", "way": "attack"}


@dataclass(frozen=True)
class Answer:
    """What comes out under a condition, or over several of them.

    Attributes:
        where: the values of the factors that are told apart, in their order.
        label: the answer.
        estimates: of the claim's figures, in their order; None: too few networks.
    """

    where: tuple[str, ...]
    label: Label
    estimates: tuple[Estimate | None, ...]


@dataclass(frozen=True)
class Verdict:
    """A judged claim.

    Attributes:
        claim: which.
        answers: under each condition.
        depends: the factors that matter.
        groups: the answers for each combination of their values, over all other factors; of no
            factor: one answer over all conditions.
        whole: the answer over all conditions.
    """

    claim: Claim
    answers: tuple[Answer, ...]
    depends: tuple[Factor, ...]
    groups: tuple[Answer, ...]
    whole: Answer

    @property
    def short(self) -> str:
        """In a word, or "depends on batch norm and attack"."""
        if not self.depends:
            return self.whole.label
        *others, last = (NAMES[factor] for factor in self.depends)
        names = f"{', '.join(others)} and {last}" if others else last
        return f"depends on {names}"

    @property
    def counted(self) -> str:
        """Under how many conditions it is shown, and under how many refuted."""
        labels = [answer.label for answer in self.answers]
        shown, refuted = labels.count("shown"), labels.count("refuted")
        return f"shown under {shown}, refuted under {refuted} of {len(labels)} conditions"

    @property
    def sentence(self) -> str:
        """The same, and where it is shown and where refuted."""
        if not self.depends:
            return f"{self.short} ({self.counted})"
        found: dict[str, list[str]] = {}
        for group in self.groups:
            found.setdefault(group.label, []).append(", ".join(group.where))
        listed = [f"{label} for {' / '.join(where)}" for label, where in sorted(found.items())]
        return f"{self.short}: {'; '.join(reversed(listed))}"


def judge(claim: Claim, scale: Scale, trials: Trials) -> Verdict:
    """Judge a claim by the trials of a grid of this scale."""
    measured = {
        condition: [_taken(part, condition, scale, trials) for part in claim.parts]
        for condition in conditions(claim, scale)
    }
    answers = {
        condition: _answer(claim, _values(condition, claim.factors), [figures])
        for condition, figures in measured.items()
    }
    depends = tuple(factor for factor in claim.factors if _matters(factor, measured, answers))
    apart: dict[tuple[str, ...], list[list[FloatArray]]] = {}
    for condition, figures in measured.items():
        apart.setdefault(_values(condition, depends), []).append(figures)
    groups = tuple(_answer(claim, where, some) for where, some in apart.items())
    whole = _answer(claim, (), list(measured.values()))
    return Verdict(claim, tuple(answers.values()), depends, groups, whole)


def conditions(claim: Claim, scale: Scale) -> list[Condition]:
    """Those that a claim tells apart; of a factor that it has not, the first value stands."""

    def some(factor: Factor, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return values if factor in claim.factors else values[:1]

    norms, learnt = some("norm", grid.NORMS), some("learnt", grid.LEARNT)
    every = product(norms, learnt, some("way", grid.ways(scale)))
    return [Condition(*each) for each in every]


def label(parts: Sequence[Part], estimates: Sequence[Estimate | None]) -> Label:
    """The answer that figures with intervals give."""
    pairs = [
        (part, found) for part, found in zip(parts, estimates, strict=True) if found is not None
    ]
    if any(found.high < part.bound for part, found in pairs):
        return "refuted"
    if len(pairs) < len(parts):
        return "not measured"
    return "shown" if all(found.low > part.bound for part, found in pairs) else "not decided"


def _taken(part: Part, condition: Condition, scale: Scale, trials: Trials) -> FloatArray:
    def statistic(sample: Sample) -> float:
        return part.figure(trials.view(condition, sample))

    return taken(statistic, grid.seeds(scale), scale.groups)


def _answer(claim: Claim, where: tuple[str, ...], some: list[list[FloatArray]]) -> Answer:
    """Of the mean over some conditions, whose figures these are."""
    means = [sum(figures[1:], figures[0]) / len(figures) for figures in zip(*some, strict=True)]
    estimates = tuple(map(estimate, means))
    return Answer(where, label(claim.parts, estimates), estimates)


def _matters(
    factor: Factor,
    measured: dict[Condition, list[FloatArray]],
    answers: dict[Condition, Answer],
) -> bool:
    return any(
        _differ(measured[one], measured[other])
        for one, other in combinations(measured, 2)
        if replace(one, **{factor: getattr(other, factor)}) == other
        and answers[one].label != answers[other].label
        and "not measured" not in (answers[one].label, answers[other].label)
    )


def _differ(one: list[FloatArray], other: list[FloatArray]) -> bool:
    found = [estimate(mine - theirs) for mine, theirs in zip(one, other, strict=True)]
    return any(each.excludes(0) for each in found if each is not None)


def _values(condition: Condition, factors: Sequence[Factor]) -> tuple[str, ...]:
    return tuple(getattr(condition, factor) for factor in factors)
