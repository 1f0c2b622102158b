"""What a run leaves behind: `run.json`, all that the report needs.

It is for `nc64c report` and may change with `VERSION`; for other programs there is `summary.json`
(`cosim.report.summary`), which is stable.
"""

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from cosim.record.chip_facts import Chip as Chip
from cosim.record.chip_facts import Grid as Grid
from cosim.record.chip_facts import LayerUse as LayerUse
from cosim.record.schema import misfit
from sw.common.checks import shown
from sw.common.errors import InputError, reason
from sw.files.atomic import atomic_write

VERSION = 4
RUN_FILE, SUMMARY_FILE, REPORT_FILE = "run.json", "summary.json", "report.html"
MAX_BYTES = 256 << 20  # of a run.json; ours are far below

Level = Literal["float", "quantised", "golden", "rtl"]
LEVELS: tuple[Level, ...] = get_args(Level)
CHIP_LEVELS: frozenset[Level] = frozenset(("golden", "rtl"))


class SetRecord(TypedDict):
    """One set of images at all levels.

    `predictions` of the RTL are those of the first `rtl_images`. `spikes` is {layer: {level: spikes
    of those images}}; a layer on the host has no chip levels. `images_sha256` is of the set's
    pixels, `zero_gradients` the number of images whose attack found a gradient of 0 everywhere.
    """

    images_sha256: str
    zero_gradients: int

    predictions: dict[str, list[int]]
    spikes: dict[str, dict[str, int]]
    compared_spikes: int
    compared_membranes: int
    mismatched_spikes: int
    mismatched_membranes: int
    first_mismatch: str | None
    mapping_mismatches: int


class Example(TypedDict):
    """One image, clean and attacked: per set its pixels [H][W] or [H][W][3], 0..255."""

    index: int
    images: dict[str, list[Any]]


class LayerCounts(TypedDict):
    """What the RTL's counters say of one layer; `cycles` and `ticks` only if it is streamed.

    Of a resident layer they are those of its cores, and `flits` what their routers passed on, those
    of other layers included.
    """

    cycles: int | None
    ticks: int | None
    synaptic_ops: int
    flits: int


class Rtl(TypedDict):
    """The RTL run as a whole. `counters` is {counter's name in lower case: per core}.

    `process_s` are seconds of all processes together, `wall_s` those divided by their number.
    `read_back` is the share of the passes of hidden layers whose membranes were read.
    """

    ticks: int
    cycles: int
    process_s: float
    wall_s: float
    build_s: float
    read_back: float
    counters: dict[str, Grid]
    layers: dict[str, LayerCounts]


class Facts(TypedDict):
    """Where, when and with what it ran.

    `stages` are seconds of all processes together, `shards_found` those that were finished before.
    `replayed` names the file that the images come from; None: they were drawn by the seed.
    """

    command: str
    checkpoint: str
    seed: int
    replayed: str | None
    jobs: int
    shards: int
    shards_found: int
    started: str
    wall_s: float
    stages: dict[str, float]
    cpu: str
    cores: int
    versions: dict[str, str]


class Noise(TypedDict):
    """Threshold noise of 0 to 2^bits - 1; `share` is the most of it by the median threshold."""

    bits: int
    share: float


class Run(TypedDict):
    """All of a run. `labels` are the classes of the images, in the order of all predictions.

    The first `rtl_images` went through the RTL, the others up to the golden model. The chip's clock
    is what the hardware figures are worked out for.
    """

    format: Literal["nc64c-run"]
    version: int
    dataset: str
    network: str
    encoding: str
    weight_bits: int
    timesteps: int
    classes: list[str]
    labels: list[int]
    rtl_images: int
    noise: Noise
    clock_mhz: float
    chip: Chip
    sets: dict[str, SetRecord]
    examples: list[Example]
    rtl: Rtl
    facts: Facts


def to_json(content: Any) -> bytes:
    """JSON for people and programs: indented, keys in their own order, no NaN."""
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def save(folder: Path, run: Run) -> None:
    """Writes `run.json`, in one line: it is large and for us alone.

    Raises `InputError` if it cannot be written.
    """
    atomic_write(folder / RUN_FILE, json.dumps(run, allow_nan=False).encode() + b"\n")


def load(folder: Path) -> Run:
    """Reads `run.json` of a folder that `nc64c cosim` wrote.

    Raises `InputError` if there is none, or what is there is not what this version writes.
    """
    path = folder / RUN_FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES} bytes: not a run of nc64c cosim")
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {reason(error)}; give a folder that nc64c cosim has written"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged or no JSON: run nc64c cosim again") from error
    if not isinstance(content, dict) or content.get("format") != "nc64c-run":
        raise InputError(f"{path} was not written by nc64c cosim")
    version = content.get("version")
    if version != VERSION:
        newer = type(version) is int and version > VERSION
        what_to_do = "use the version of nc64c that wrote it" if newer else "run nc64c cosim again"
        raise InputError(
            f"{path} has version {shown(version)}, this program reads {VERSION}: {what_to_do}"
        )
    wrong = misfit(content, Run, "run")
    if wrong:
        raise InputError(f"{path} is damaged at {wrong}: run nc64c cosim again")
    return _checked_sizes(path, content)


def _checked_sizes(path: Path, run: Any) -> Run:
    """Lists that belong together are of one length, grids are of the chip's size."""
    images, sample = len(run["labels"]), run["rtl_images"]
    columns, rows = run["chip"]["columns"], run["chip"]["rows"]
    grids = [run["chip"]["neurons"], run["chip"]["synapses"], *run["rtl"]["counters"].values()]
    fits = (
        0 < sample <= images
        and all(len(grid) == rows and {len(row) for row in grid} == {columns} for grid in grids)
        and all(
            set(chosen["predictions"]) == set(LEVELS)
            and all(
                len(answers) == (sample if level == "rtl" else images)
                for level, answers in chosen["predictions"].items()
            )
            for chosen in run["sets"].values()
        )
        and all(_is_example(run, example) for example in run["examples"])
    )
    if not fits:
        raise InputError(f"{path} is damaged, its sizes do not fit: run nc64c cosim again")
    checked: Run = run
    return checked


def _is_example(run: Run, example: Example) -> bool:
    """Its index and sets are there, and its pixels make a picture each."""
    if (
        not 0 <= example["index"] < run["rtl_images"]
        or not example["images"].keys() <= run["sets"].keys()
    ):
        return False
    try:
        pictures = [np.array(pixels, np.uint8) for pixels in example["images"].values()]
    except (ValueError, OverflowError, TypeError):
        return False
    return all(
        picture.size and (picture.ndim == 2 or picture.shape[2:] == (3,)) for picture in pictures
    )
