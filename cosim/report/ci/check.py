"""A run against one that was kept: mismatches, accuracy, adversarial loss, cycles and energy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosim.record import record
from cosim.record.record import CHIP_LEVELS, LEVELS, RUN_FILE, Level, RunRecord
from cosim.report.ci.junit import Case
from cosim.report.ci.noninferiority import ALPHA, Finding, caught, compare
from cosim.report.figures import hardware, mismatches, right
from sw.attack.set_names import CLEAN
from sw.common.errors import InputError

LOSS = 0.02  # whose power is stated: two points


@dataclass(frozen=True)
class Limits:
    """What is still no regression: a loss in points, and more cycles and energy in per cent."""

    margin: float = 1.0
    slack: float = 1.0


@dataclass(frozen=True)
class Verdict:
    """One thing that was checked, in words; `good` if it is no regression."""

    what: str
    words: str
    good: bool


def kept(path: Path) -> RunRecord:
    """The run of a kept `run.json`, of the folder that it is in, or of another file beside it.

    Raises `InputError`, also where there is none: a summary alone has no answers to pair.
    """
    folder = path if path.is_dir() else path.parent
    if path.is_file() and path.name != RUN_FILE and not (folder / RUN_FILE).is_file():
        raise InputError(
            f"{path} has no answer of each image: keep {RUN_FILE} of the run, and give that"
        )
    if path.is_file() and path.suffix != ".json":
        raise InputError(f"{path} is no JSON: give the {RUN_FILE} of a kept run")
    return record.load(folder)


def check(baseline: RunRecord, run: RunRecord, limits: Limits) -> list[Verdict]:
    """All verdicts. Raises `InputError` if the two are not of the same images, sets and chip."""
    _comparable(baseline, run)
    wrong = mismatches(run)
    found = [Verdict("mismatches", f"{wrong} of RTL, golden model and network", not wrong)]
    for level in (level for level in LEVELS if level in CHIP_LEVELS):
        found += _answers(baseline, run, level, limits)
    before, after = hardware(baseline), hardware(run)
    for what, old, new in (
        ("cycles per image", before.cycles_per_image, after.cycles_per_image),
        ("nJ per image", before.energy_nj_per_image, after.energy_nj_per_image),
    ):
        more = 100 * (new - old) / old if old else 0.0 if new == old else float("inf")
        words = f"{new:,.1f}, kept {old:,.1f}: {more:+.2f} %, at most {limits.slack:+g}"
        found.append(Verdict(what, words, more <= limits.slack))
    return found


def cases(found: Sequence[Verdict], folder: Path) -> list[Case]:
    """A test case for JUnit of each verdict; `folder` has the run's report."""
    return [
        Case(
            name=each.what,
            group="nc64c.check",
            failure="" if each.good else each.words,
            output=each.words,
            attachments=() if each.good else [folder / record.REPORT_FILE],
        )
        for each in found
    ]


def power(run: RunRecord, limits: Limits) -> str:
    """What the test of the answers can see, in a sentence."""
    count = len(run.labels)
    share = caught(count, LOSS, limits.margin / 100)
    return (
        f"margin {limits.margin:g} points, one-sided {100 * ALPHA:g} %; of runs that lose "
        f"{100 * LOSS:g} points, {100 * share:.1f} % are caught with {count} images"
    )


def _answers(
    baseline: RunRecord, run: RunRecord, level: Level, limits: Limits
) -> Iterator[Verdict]:
    """Accuracy of each set, and adversarial loss of each attack, paired by image."""
    before = {name: right(baseline, name, level) for name in baseline.sets}
    after = {name: right(run, name, level) for name in run.sets}
    worse = {
        name: [int(old) - int(new) for old, new in zip(before[name], after[name], strict=True)]
        for name in run.sets
    }
    for name, differences in worse.items():
        yield _verdict(f"{level}, {name}: accuracy", differences, limits)
    for name in (name for name in worse if CLEAN in worse and name != CLEAN):
        more = [a - c for a, c in zip(worse[name], worse[CLEAN], strict=True)]
        yield _verdict(f"{level}, {name}: adversarial loss", more, limits)


def _verdict(what: str, differences: list[int], limits: Limits) -> Verdict:
    found: Finding = compare(differences, limits.margin / 100)
    words = (
        f"worse by {100 * found.loss:.2f} points, at most {100 * found.upper:.2f} "
        f"({found.worse} images worse, {found.better} better, of {found.images})"
    )
    return Verdict(what, words, found.passes)


def _comparable(baseline: RunRecord, run: RunRecord) -> None:
    for what, old, new in (
        ("data set", baseline.dataset, run.dataset),
        ("sets", list(baseline.sets), list(run.sets)),
        ("images in RTL", baseline.rtl_images, run.rtl_images),
        ("images", len(baseline.labels), len(run.labels)),
        ("bits of noise", baseline.noise.bits, run.noise.bits),
        ("cores", (baseline.chip.columns, baseline.chip.rows), (run.chip.columns, run.chip.rows)),
    ):
        if old != new:
            raise InputError(f"{what}: the kept run has {old}, this one {new}; must be the same")
    same = baseline.labels == run.labels
    if CLEAN in run.sets:
        same &= baseline.sets[CLEAN].images_sha256 == run.sets[CLEAN].images_sha256
    if not same:
        raise InputError("the two runs are of other images: give both the same --seed or --replay")
