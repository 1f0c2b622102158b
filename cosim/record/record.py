"""What a run leaves behind: `run.json`, all that the report needs.

It is for `nc64c report` and may change with `VERSION`; for other programs there is `summary.json`
(`cosim.report.ci.summary`), which is stable.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import numpy as np
from msgspec import Meta

from cosim.record.chip_facts import Amount, Chip, Count, Grid, Record, Size
from hw.spec import LFSR_BITS
from sw.common.checks import shown
from sw.common.errors import InputError, reason
from sw.common.typed import Misfit, plain, typed
from sw.files.atomic import atomic_write

VERSION = 6
RUN_FILE, SUMMARY_FILE, REPORT_FILE = "run.json", "summary.json", "report.html"
MAX_BYTES = 256 << 20  # of a run.json; ours are far below
MAX_CLOCK_MHZ = 1e6

Level = Literal["float", "quantised", "golden", "rtl"]
LEVELS: tuple[Level, ...] = get_args(Level)
CHIP_LEVELS: frozenset[Level] = frozenset(("golden", "rtl"))
COUNTERS = ("flits", "stalls", "busy_cycles", "spikes_out", "synaptic_ops")  # that a report shows

Prediction = Annotated[int, Meta(ge=-1, le=2**31)]  # a class; -1: the chip gave none
Spikes = dict[str, dict[Level, Count]]  # by layer; one on the host has no chip levels


class Failing(Record, frozen=True, kw_only=True):
    """Where a first mismatch is.

    Attributes:
        image: its number in the set.
        first: that of the image from which passes are counted.
        layer, round, number: of a streamed network, the layer, its round, and the pass in it.
        tick, x, y, neuron: as in `cosim.compare.chips.Mismatch`.
    """

    image: Count
    first: Count
    layer: str | None
    round: Count
    number: Count
    tick: Count
    x: Count
    y: Count
    neuron: Count


class SetRecord(Record, frozen=True, kw_only=True):
    """One set of images at all levels.

    `predictions` of the RTL are those of the first `rtl_images`, and `spikes` are those of the same
    images at all levels. `images_sha256` is of the set's pixels, `zero_gradients` the number of
    images whose attack found a gradient of 0 everywhere.
    """

    images_sha256: str
    zero_gradients: Count
    predictions: dict[Level, list[Prediction]]
    spikes: Spikes
    compared_spikes: Count
    compared_membranes: Count
    mismatched_spikes: Count
    mismatched_membranes: Count
    first_mismatch: str | None
    failing: Failing | None = None
    mapping_mismatches: Count


class Example(Record, frozen=True, kw_only=True):
    """One image, clean and attacked: per set its pixels [H][W] or [H][W][3], 0..255."""

    index: Count
    images: dict[str, list[Any]]


class LayerCounts(Record, frozen=True, kw_only=True):
    """What the RTL's counters say of one layer; `cycles` and `ticks` only if it is streamed.

    Of a resident layer they are those of its cores, and `flits` what their routers passed on, those
    of other layers included.
    """

    cycles: Count | None
    ticks: Count | None
    synaptic_ops: Count
    flits: Count


class Rtl(Record, frozen=True, kw_only=True):
    """The RTL run as a whole. `counters` is {counter's name in lower case: per core}.

    `process_s` are seconds of all processes together, `wall_s` those divided by their number.
    `read_back` is the share of the passes of hidden layers whose membranes were read.
    """

    ticks: Count
    cycles: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    process_s: Amount
    wall_s: Annotated[float, Meta(ge=1e-6, le=1e15)]
    build_s: Amount
    read_back: Amount
    counters: dict[str, Grid]
    layers: dict[str, LayerCounts]


class RtlSource(Record, frozen=True, kw_only=True):
    """Which RTL ran, and in what: ours, or a user's chip or core, by its top module and files.

    `files` are {name: SHA-256} of all that were named or included; of ours there are none.
    """

    simulator: Literal["verilator", "icarus"]
    design: Literal["ours", "chip", "core"]
    top: str | None
    files: dict[str, str]


OUR_RTL = RtlSource(simulator="verilator", design="ours", top=None, files={})


class Facts(Record, frozen=True, kw_only=True):
    """Where, when and with what it ran.

    `stages` are seconds of all processes together, `shards_found` those that were finished before.
    `replayed` names the file that the images come from; None: they were drawn by the seed. `golden`
    is which golden model, in words: they all answer the same.
    """

    command: str
    checkpoint: str
    seed: int
    replayed: str | None
    rtl: RtlSource
    jobs: Count
    shards: Count
    shards_found: Count
    started: str
    wall_s: Amount
    stages: dict[str, Amount]
    cpu: str
    cores: Count
    versions: dict[str, str]
    golden: str = "numpy"


class Noise(Record, frozen=True, kw_only=True):
    """Threshold noise of 0 to 2^bits - 1; `share` is the most of it by the median threshold."""

    bits: Annotated[int, Meta(ge=0, le=LFSR_BITS)]
    share: Amount


class RunRecord(Record, frozen=True, kw_only=True):
    """All of a run. `labels` are the classes of the images, in the order of all predictions.

    The first `rtl_images` went through the RTL, the others up to the golden model. The chip's clock
    is what the hardware figures are worked out for.
    """

    format: Literal["nc64c-run"]
    version: int
    dataset: str
    network: str
    encoding: str
    weight_bits: Count
    timesteps: Count
    classes: list[str]
    labels: list[Count]
    rtl_images: Size
    noise: Noise
    clock_mhz: Annotated[float, Meta(gt=0, le=MAX_CLOCK_MHZ)]
    chip: Chip
    sets: dict[str, SetRecord]
    examples: list[Example]
    rtl: Rtl
    facts: Facts


def to_json(content: Any) -> bytes:
    """JSON for people and programs: indented, keys in their own order, no NaN."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def save(folder: Path, run: RunRecord) -> None:
    """Writes `run.json`, in one line: it is large and for us alone.

    Raises `InputError` if it cannot be written.
    """
    atomic_write(folder / RUN_FILE, json.dumps(plain(run), allow_nan=False).encode() + b"\n")


def load(folder: Path) -> RunRecord:
    """Reads `run.json` of a folder that `nc64c cosim` wrote.

    Raises `InputError` if there is none, or what is there is not what this version writes.
    """
    path = folder / RUN_FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES} bytes: not a run of nc64c cosim")
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {reason(error)}; give a folder that nc64c cosim has written"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path} is damaged or no JSON ({error}): run nc64c cosim again"
        ) from error
    if not isinstance(content, dict) or content.get("format") != "nc64c-run":
        raise InputError(f"{path} was not written by nc64c cosim")
    version = content.get("version")
    if version != VERSION:
        newer = type(version) is int and version > VERSION
        what_to_do = "use the version of nc64c that wrote it" if newer else "run nc64c cosim again"
        raise InputError(
            f"{path} has version {shown(version)}, this program reads {VERSION}: {what_to_do}"
        )
    try:
        run = typed(content, RunRecord)
        check(run)
    except Misfit as error:
        raise InputError(f"{path} is damaged at {error}: run nc64c cosim again") from error
    return run


def check(run: RunRecord) -> None:
    """Raises `Misfit` unless the parts of a record fit each other."""
    for fits, place, wanted in _conditions(run):
        if not fits:
            raise Misfit(f"{place} (expected {wanted})")


def _conditions(run: RunRecord) -> Iterator[tuple[bool, str, str]]:
    """Whether a condition holds, its place, and what is right there."""
    images, classes, chip = len(run.labels), len(run.classes), run.chip
    yield run.rtl_images <= images, "$.rtl_images", f"1 to {images}, the number of labels"
    yield (
        max(run.labels, default=0) < classes,
        "$.labels",
        f"numbers below {classes}, of the classes",
    )
    yield "nc64c" in run.facts.versions, "$.facts.versions", "nc64c's among them"
    yield (
        run.rtl.counters.keys() >= set(COUNTERS),
        "$.rtl.counters",
        f"{', '.join(COUNTERS)} among them",
    )
    grids = {f"$.rtl.counters.{name}": grid for name, grid in run.rtl.counters.items()}
    grids |= {"$.chip.neurons": chip.neurons, "$.chip.synapses": chip.synapses}
    for place, grid in grids.items():
        fits = len(grid) == chip.rows and {len(row) for row in grid} == {chip.columns}
        yield fits, place, f"{chip.rows} rows of {chip.columns}, the chip's cores"
    yield bool(run.sets), "$.sets", "one at least"
    yield from (each for name in run.sets for each in _set_conditions(run, name))
    for number, example in enumerate(run.examples):
        place = f"$.examples[{number}]"
        yield example.index < run.rtl_images, f"{place}.index", f"below {run.rtl_images}"
        yield example.images.keys() <= run.sets.keys(), f"{place}.images", "sets of the run"
        for name, pixels in example.images.items():
            yield _is_picture(pixels), f"{place}.images.{name}", "rows of pixels from 0 to 255"


def _set_conditions(run: RunRecord, name: str) -> Iterator[tuple[bool, str, str]]:
    chosen, place = run.sets[name], f"$.sets.{name}"
    for level in LEVELS:
        count = run.rtl_images if level == "rtl" else len(run.labels)
        answers = chosen.predictions.get(level, [])
        yield len(answers) == count, f"{place}.predictions.{level}", f"{count} answers"
    first = next(iter(run.sets.values())).spikes
    layers = {layer: levels.keys() for layer, levels in chosen.spikes.items()}
    same = layers == {layer: levels.keys() for layer, levels in first.items()}
    yield same, f"{place}.spikes", "the layers and levels of the other sets"
    for layer, levels in layers.items():
        fits = levels in (set(LEVELS), set(LEVELS) - CHIP_LEVELS)
        yield fits, f"{place}.spikes.{layer}", "all levels, or all but the chip's"


def _is_picture(pixels: list[Any]) -> bool:
    try:
        picture = np.array(pixels, np.uint8)
    except (ValueError, OverflowError, TypeError):
        return False
    return picture.size > 0 and (picture.ndim == 2 or picture.shape[2:] == (3,))
