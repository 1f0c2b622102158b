"""What noise is worth, by what the attacker does about it: tables, and a picture."""

from collections.abc import Sequence
from typing import Any

from cosim.report import plots
from sw.common.intervals import wilson

Entry = dict[str, Any]
IGNORED = ("quantised network",)
EXPECTED = ("quantised network, other seeds of it", "other seeds of its noise")
KNOWN = ("quantised network, this noise", "this chip")
PLAIN = "plain"
ACROSS = 2  # panels side by side, so that the picture can be read at the width of a page
SPREAD = 0.06  # between the marks of two lines, by the distance of two chips


def head(found: dict[str, Any]) -> list[str]:
    """Of a table: what the attacker does about the noise, from nothing to all."""
    seeds = [f"{count} other seed{'s' * (count > 1)}" for count in found["draws"]]
    return ["chip", "not attacked", "noise ignored", *seeds, "seed known"]


def tables(found: dict[str, Any]) -> dict[str, list[list[str]]]:
    """By attack, a row for each chip that has noise, or nothing: per cent right, with intervals."""
    return {
        attack: [_cells(found, chip, answers) for chip, answers in by_chip.items()]
        for attack, by_chip in _answers(found).items()
    }


def as_pictures(found: dict[str, Any]) -> dict[str, bytes]:
    """A panel for each attack, a line for each column of its table; none without noise."""
    answers = _answers(found)
    if not answers:
        return {}
    figure, panels = plots.panels(len(answers), ACROSS)
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
        chips = ["\n".join(_name(found, chip)) for chip in by_chip]
        panel.set_xticks(range(len(by_chip)), chips, fontsize=7)
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


def _cells(found: dict[str, Any], chip: str, answers: list[list[bool]]) -> list[str]:
    known = answers if chip in found["noise"] else answers[:2]  # there is no noise to know
    cells = [", ".join(_name(found, chip)), *(share(each) for each in known)]
    return cells + [""] * (len(answers) - len(known))


def _name(found: dict[str, Any], chip: str) -> list[str]:
    """A chip, and its largest noise as a share of the median threshold."""
    noise = found["noise"].get(chip)
    return [chip] if noise is None else [chip, f"{100 * noise:.0f} %"]


def _points(answers: Sequence[bool]) -> tuple[float, float, float]:
    low, high = wilson(sum(answers), len(answers))
    return 100 * sum(answers) / len(answers), 100 * low, 100 * high


def _differences(more: Sequence[float], less: Sequence[float]) -> list[float]:
    return [max(each - other, 0.0) for each, other in zip(more, less, strict=True)]


def _answers(found: dict[str, Any]) -> dict[str, dict[str, list[list[bool]]]]:
    """By attack and chip, which images are right: in the order of `head`; none without noise.

    On a plain chip all attackers are the one who ignores its noise.
    """
    chips = {name: rows for name, rows in found["chips"].items() if _told(found, name)}
    attacks = dict.fromkeys(
        row["attack"] for name in found["noise"] for row in chips[name] if row["asked"] in KNOWN
    )
    return {
        attack: {name: _of(found, rows, attack) for name, rows in chips.items()}
        for attack in attacks
    }


def _told(found: dict[str, Any], chip: str) -> bool:
    return chip in found["noise"] or chip == PLAIN


def _of(found: dict[str, Any], rows: list[Entry], attack: str) -> list[list[bool]]:
    def asked(*who: str) -> list[Entry]:
        return [row for row in rows if row["attack"] == attack and row["asked"] in who]

    clean, ignored = [row for row in rows if row["attack"] is None], asked(*IGNORED)
    aware = asked(*EXPECTED) + asked(*KNOWN)
    if len(aware) <= 1:  # of a plain chip
        aware = ignored * (len(found["draws"]) + 1)
    return [right(row["golden"], found["labels"]) for row in clean + ignored + aware]
