"""What noise is worth, by what the attacker does about it: tables, and a picture."""

from collections.abc import Sequence
from typing import Any

from cosim.report import plots
from sw.common.intervals import wilson

Entry = dict[str, Any]
IGNORED = ("quantised network",)
EXPECTED = ("quantised network, other seeds of it", "other seeds of its noise")
KNOWN = ("quantised network, this noise", "this chip")
SPREAD = 0.06  # between the marks of two lines, by the distance of two chips


def head(found: dict[str, Any]) -> list[str]:
    """Of a table: what the attacker does about the noise, from nothing to all."""
    seeds = [f"{count} other seed{'s' * (count > 1)}" for count in found["draws"]]
    return ["chip", "not attacked", "noise ignored", *seeds, "seed known"]


def tables(found: dict[str, Any]) -> dict[str, list[list[str]]]:
    """By attack, a row for each chip that has noise: per cent right, with intervals."""
    return {
        attack: [[chip, *(share(each) for each in answers)] for chip, answers in by_chip.items()]
        for attack, by_chip in _answers(found).items()
    }


def as_pictures(found: dict[str, Any]) -> dict[str, bytes]:
    """A panel for each attack, a line for each column of its table; none without noise."""
    answers = _answers(found)
    if not answers:
        return {}
    figure, panels = plots.panels(len(answers))
    figure.suptitle(
        f"Noise of the thresholds, {found['network']} on {found['dataset']}, {found['eps']}/255; "
        f"golden model, {found['images']} images, 95 % intervals",
        fontsize=9,
    )
    names = head(found)[1:]
    for panel, (attack, by_chip) in zip(panels, answers.items(), strict=True):
        for number, name in enumerate(names):
            points = [_points(shown[number]) for shown in by_chip.values()]
            value, low, high = (list(part) for part in zip(*points, strict=True))
            aside = SPREAD * (number - (len(names) - 1) / 2)
            panel.errorbar(
                [place + aside for place in range(len(by_chip))],
                value,
                yerr=[_differences(value, low), _differences(high, value)],
                fmt="o-",
                color="grey" if not number else f"C{number - 1}",
                label=name,
                markersize=3,
                capsize=2,
                linewidth=1,
            )
        panel.set_xticks(range(len(by_chip)), list(by_chip), fontsize=7)
        panel.set_title(attack, fontsize=9)
        panel.set_ylim(0, 100)
        panel.set_ylabel("right, %", fontsize=8)
        panel.grid(alpha=0.3)
    every = panels[0].get_legend_handles_labels()
    figure.legend(*every, fontsize=7, loc="outside right upper")
    return plots.as_files(figure)


def right(answers: Sequence[int], labels: Sequence[int]) -> list[bool]:
    """Which of the first images are answered right."""
    return [answer == label for answer, label in zip(answers, labels, strict=False)]


def share(answers: Sequence[bool]) -> str:
    """Per cent that are right, and their interval."""
    value, low, high = _points(answers)
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _points(answers: Sequence[bool]) -> tuple[float, float, float]:
    low, high = wilson(sum(answers), len(answers))
    return 100 * sum(answers) / len(answers), 100 * low, 100 * high


def _differences(more: Sequence[float], less: Sequence[float]) -> list[float]:
    return [max(each - other, 0.0) for each, other in zip(more, less, strict=True)]


def _answers(found: dict[str, Any]) -> dict[str, dict[str, list[list[bool]]]]:
    """By attack and chip with noise, which images are right: in the order of `head`."""
    noisy = {name: rows for name, rows in found["chips"].items() if "noise" in name}
    every: dict[str, dict[str, list[list[bool]]]] = {}
    for chip, rows in noisy.items():
        for attack in dict.fromkeys(row["attack"] for row in rows if row["asked"] in KNOWN):
            clean = [row for row in rows if row["attack"] is None]
            of = [row for row in rows if row["attack"] == attack]
            chosen = [
                *clean,
                *(row for row in of if row["asked"] in IGNORED),
                *(row for row in of if row["asked"] in EXPECTED),
                *(row for row in of if row["asked"] in KNOWN),
            ]
            shown = [right(row["golden"], found["labels"]) for row in chosen]
            every.setdefault(attack, {})[chip] = shown
    return every
