"""The paper's Table 5, adversarial loss of algorithm and chip, of a run: as text and as a picture.

JEIT 45(9), 2023, Table 5: VGG5, direct encoding, CIFAR-10, FGSM at eps 2, 8, 16; its chip is a
behavioural simulator. A run with several kinds of attack gives a table for each.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cosim.record.record import LEVELS, RunRecord
from cosim.report import plots
from cosim.report.document import interval, templates
from cosim.report.figures import (
    Points,
    accuracy,
    adversarial_loss,
    attacks,
    hardware,
    mismatches,
    source,
)
from cosim.report.page import NAMES
from cosim.report.verdict import cautions
from sw.attack.set_names import CLEAN, OF_SPIKES, TRANSFER, parse
from sw.common.errors import InputError
from sw.common.templates import markdown
from sw.paper.published import Printed, note, values

SCHEMA = 1
STRENGTHS = (2, 8, 16)  # the paper's eps, in 1/255
PAPER = {"the paper, algorithm": "algorithm", "the paper, hardware": "chip"}
PAPER_CLEAN = {"chip": 83.0}  # per cent; its section 4.2
KINDS = {
    "fgsm": "White-box FGSM",
    "targeted": "White-box FGSM towards a wrong class that is drawn",
    "rfgsm": "White-box FGSM behind a random step",
    "pgd": "White-box PGD",
    "noise": "Random noise of the same size, no attack",
    "apgd": "White-box APGD, cross-entropy",
    "dlr": "White-box APGD, difference of logits ratio",
    "nearest": "White-box APGD towards the three likeliest wrong classes",
    "sapgd": "White-box SA-PGD with an adaptive surrogate",
    "pdsg": "White-box APGD with a surrogate as wide as the membranes are spread",
    "rate": "White-box APGD through the rate (BPTR)",
    "rga": "White-box APGD through the rate (RGA)",
    "rga4": "White-box APGD through the rate (RGA, time-extended)",
    "square": "Square, which asks for answers only",
    "rays": "RayS, which asks for decisions only",
    "insert": "Spikes inserted along the gradient, by their number",
    "drop": "Spikes dropped along the gradient, by their number",
    "shift": "Spikes shifted in time along the gradient, by their number",
    "flip": "Spikes inserted or dropped along the gradient, by their number",
    "blind": "Spikes changed at random, no attack, by their number",
    TRANSFER: "FGSM made on another network (transfer)",
}
THE_PAPERS = ("fgsm", TRANSFER)  # it does not say whose gradient it takes
Losses = dict[int, Points]  # by eps


@dataclass(frozen=True)
class Ours:
    """A level of ours: clean accuracy, and losses of all its images and of those in RTL."""

    clean: Points
    losses: Losses
    of_sample: Losses


@dataclass(frozen=True)
class Table:
    """A kind of attack: the paper's rows, where it has them, and ours, by level."""

    kind: str
    strengths: list[int]
    paper: dict[str, dict[int, Printed]]
    ours: dict[str, Ours]

    def gap(self, eps: int) -> float:
        """The RTL's loss minus that of the quantised algorithm, over the same images; points."""
        return self.ours["rtl"].of_sample[eps].value - self.ours["quantised"].of_sample[eps].value

    def paper_gap(self, eps: int) -> float | None:
        """The same of the paper: hardware minus algorithm."""
        chip, algorithm = (self.paper.get(name, {}).get(eps) for name in ("chip", "algorithm"))
        if chip is None or algorithm is None or chip.value is None or algorithm.value is None:
            return None
        return chip.value - algorithm.value


def tables(run: RunRecord) -> list[Table]:
    """A table for each kind of attack in a run.

    Raises `InputError` for one without clean images, or without attacks.
    """
    if CLEAN not in run.sets or not attacks(run):
        raise InputError(
            f"Table 5 needs a run with the set {CLEAN} and attacks, such as fgsm_2; "
            f"this one has {', '.join(run.sets)}"
        )
    kinds: dict[str, list[str]] = {}
    for name in attacks(run):
        kinds.setdefault(name.rpartition("_")[0], []).append(name)
    return [_table(run, kind, names) for kind, names in kinds.items()]


def _table(run: RunRecord, kind: str, names: list[str]) -> Table:
    eps = {name: parse(name)[1] for name in names}
    ours: dict[str, Ours] = {}
    for level in LEVELS:
        whole, sample = (adversarial_loss(run, level, sample=part) for part in (False, True))
        ours[level] = Ours(
            accuracy(run, CLEAN, level),
            {eps[name]: whole[name] for name in names},
            {eps[name]: sample[name] for name in names},
        )
    rows = {row: printed(run, kind, row) for row in PAPER.values()}
    paper = {row: dict(zip(STRENGTHS, found, strict=True)) for row, found in rows.items() if found}
    return Table(kind, sorted(eps.values()), paper, ours)


def printed(run: RunRecord, kind: str, row: str) -> tuple[Printed, ...]:
    """A row's values as the paper prints them, for `STRENGTHS`; none for what it does not have."""
    return values("table5", run.encoding, row) if kind in THE_PAPERS else ()


def as_markdown(run: RunRecord) -> str:
    """All tables; what is doubtful about a printed value stands below them."""
    found, doubts = tables(run), list[str]()
    return markdown(
        templates(),
        "table5.md.j2",
        run=run,
        source=source(run),
        mismatches=mismatches(run),
        cautions=cautions(run),
        tables=[(KINDS[table.kind], _head(table), list(_rows(table, doubts))) for table in found],
        doubts=doubts,
        all_printed=all(table.paper for table in found),
        hardware=hardware(run),
    )


def _head(table: Table) -> list[str]:
    return ["", "images", "clean accuracy, %", *(f"eps {eps}" for eps in table.strengths)]


def _rows(table: Table, doubts: list[str]) -> Iterator[list[str]]:
    """The cells of a table; enters what is doubtful of a printed value into `doubts`."""
    for name, row in PAPER.items():
        if row in table.paper:
            clean = f"{PAPER_CLEAN[row]:g}" if row in PAPER_CLEAN else "-"
            losses = (_printed(table.paper[row].get(eps), doubts) for eps in table.strengths)
            yield [name, "", clean, *losses]
    for level, ours in table.ours.items():
        losses = (interval(ours.losses[eps]) for eps in table.strengths)
        yield [f"ours, {NAMES[level]}", str(ours.clean.images), interval(ours.clean), *losses]
    if table.paper:
        gaps = (table.paper_gap(eps) for eps in table.strengths)
        shown = ("-" if gap is None else f"{gap:+.2f}" for gap in gaps)
        yield ["the paper, hardware minus algorithm", "", "", *shown]
    images = str(table.ours["rtl"].clean.images)
    gaps_here = (f"{table.gap(eps):+.2f}" for eps in table.strengths)
    yield ["ours, RTL minus quantised", images, "", *gaps_here]


def _printed(value: Printed | None, doubts: list[str]) -> str:
    """A value as the paper prints it; marked, if there is a doubt about it."""
    if value is None or value.value is None:
        return "-"
    if value.doubt is None:
        return f"{value.value:.2f}"
    return f"{value.value:.2f} {note(value.doubt, doubts)}"


def as_json(run: RunRecord) -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema_version": SCHEMA,
        "network": run.network,
        "dataset": run.dataset,
        "encoding": run.encoding,
        "command": run.facts.command,
        "mismatches": mismatches(run),
        "tables": [
            {
                "attack": table.kind,
                "eps": table.strengths,
                "paper": {
                    row: {str(eps): found[eps].value for eps in table.strengths if eps in found}
                    for row, found in table.paper.items()
                },
                "ours": {
                    level: {
                        "clean": ours.clean._asdict(),
                        "loss": {str(eps): loss._asdict() for eps, loss in ours.losses.items()},
                    }
                    for level, ours in table.ours.items()
                },
                "rtl_minus_quantised": {
                    str(eps): round(table.gap(eps), 4) for eps in table.strengths
                },
            }
            for table in tables(run)
        ],
        "hardware": asdict(hardware(run)),
    }


def as_pictures(run: RunRecord) -> dict[str, bytes]:
    """Adversarial loss by eps, a panel for each kind of attack; raises `InputError`."""
    found = tables(run)
    figure, axes = plots.panels(len(found))
    figure.suptitle(f"Adversarial loss of {run.network} on {run.dataset}, 95 % intervals")
    for panel, table in zip(axes, found, strict=True):
        _draw(panel, table)
    return plots.as_files(figure)


def _draw(panel: Any, table: Table) -> None:
    for (name, row), line in zip(PAPER.items(), ("--", ":"), strict=True):
        found = table.paper.get(row, {})
        points = [(eps, value.value) for eps, value in found.items() if value.value is not None]
        if points:
            panel.plot(*zip(*points, strict=True), line, color="#a4161a", marker="x", label=name)
    width = 0.012 * (max(table.strengths) + 1)
    panel.set_xticks(sorted({*table.strengths, *(STRENGTHS if table.paper else ())}))
    for place, (level, ours) in enumerate(table.ours.items()):
        losses = [ours.losses[eps] for eps in table.strengths]
        panel.errorbar(
            [eps + (place - 1.5) * width for eps in table.strengths],  # side by side
            [loss.value for loss in losses],
            yerr=[
                [loss.value - loss.low for loss in losses],
                [loss.high - loss.value for loss in losses],
            ],
            color=plots.COLOURS[level],
            marker=plots.MARKERS[level],
            markersize=4,
            capsize=2,
            linewidth=1,
            label=f"{NAMES[level]}, {losses[0].images} images",
        )
    panel.set_title(KINDS[table.kind], fontsize=9)
    panel.set_xlabel("spikes" if table.kind in OF_SPIKES else "eps, 1/255")
    panel.set_ylabel("adversarial loss, points")
    panel.grid(alpha=0.3)
    panel.legend(fontsize=7)
