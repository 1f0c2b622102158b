"""A suite's figures as one document, and that as Markdown."""

from collections.abc import Mapping
from typing import Any

from sw.attack.gradient.way import TRAINED
from sw.attack.suite.measure import Answers, Plan
from sw.attack.suite.members import LARGEST, STRONGEST, Member
from sw.common.intervals import wilson
from sw.common.templates import environment, markdown
from sw.data.dataset import Dataset

SCHEMA = 2
TEMPLATE = "suite.md.j2"
Document = dict[str, Any]


def document(plan: Plan, answers: Answers, data: Dataset) -> Document:
    """Per cent of the images that are right: as they are, after each attack, and after all."""
    share = 100 / len(data)
    members = plan.choice.members()
    found = {
        "schema": SCHEMA,
        "suite": plan.choice.suite,
        "checkpoint_sha256": plan.checkpoint,
        "transfers_sha256": list(plan.choice.transfers),
        "dataset": data.name,
        "images": len(data),
        "seed": plan.seed,
        "strengths": list(plan.strengths),
        "clean": share * int(answers.clean.sum()),
        "attacks": {
            name: {str(eps): answers.accuracy(name, eps) for eps in plan.strengths}
            for name in members
        },
        "how": {name: _how(member) for name, member in members.items()},
        "worst": {str(eps): share * int(answers.worst(eps).sum()) for eps in plan.strengths},
        "right_at_255": answers.accuracy(STRONGEST, LARGEST),
        "curves": {
            name: {
                str(eps): [share * left for left in answers.left[name, eps]]
                for eps in plan.strengths
            }
            for name, member in members.items()
            if member.source is None and len(answers.left[name, plan.strengths[0]]) > 1
        },
    }
    return found | {"intervals": _intervals(found)}


def page(found: Document) -> str:
    """The document as Markdown: flags first, then the worst case, then each attack."""
    templates = environment("sw.attack.suite", "pages")
    return markdown(templates, TEMPLATE, cell=cell, cells=cells, **found)


def cell(share: float, ends: list[float]) -> str:
    """A figure and its interval."""
    return f"{share:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


def cells(shares: Mapping[str, float], ends: Mapping[str, list[float]]) -> list[str]:
    """Those of a row, by strength."""
    return [cell(share, ends[eps]) for eps, share in shares.items()]


def _how(member: Member) -> str:
    """In a few words: its steps, its starts, its gradient."""
    attack, words = member.attack, []
    if attack.steps is not None:
        words.append(f"{attack.steps} {'queries' if attack.method == 'square' else 'steps'}")
    if attack.restarts > 1:
        words.append(f"{attack.restarts} starts")
    way = member.way or TRAINED
    if member.source is not None:
        words.append(f"made on another network, {member.source[:12]}")
    if member.follows_gradient or member.source is not None:
        words.append(f"{'surrogate' if way.through == 'time' else 'gradient'} {way.name}")
    if way.draws:
        words.append(f"mean of {way.draws} draws")
    return ", ".join(words)


def _intervals(found: Document) -> Document:
    """Wilson's intervals of 95 % of the same figures, in the same places."""

    def ends(share: float) -> list[float]:
        count: int = found["images"]
        return [100 * end for end in wilson(round(share * count / 100), count)]

    def by_strength(shares: dict[str, float]) -> dict[str, list[float]]:
        return {eps: ends(share) for eps, share in shares.items()}

    return {
        "clean": ends(found["clean"]),
        "attacks": {name: by_strength(shares) for name, shares in found["attacks"].items()},
        "worst": by_strength(found["worst"]),
    }
