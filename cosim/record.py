"""What a run leaves behind: `run.json`, all that the report needs, and `summary.json`, its extract.

`summary.json` is for other programs and stable (README.md describes it); `run.json` is for
`nc64c report` and may change with `VERSION`.
"""

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

import numpy as np

from cosim.chip_facts import Chip as Chip
from cosim.chip_facts import Grid as Grid
from cosim.chip_facts import LayerUse as LayerUse
from cosim.schema import misfit
from sw.errors import InputError
from sw.files import atomic_write

VERSION = 2  # of run.json
SUMMARY_VERSION = 1  # of summary.json
RUN_FILE, SUMMARY_FILE, REPORT_FILE = "run.json", "summary.json", "report.html"
MAX_BYTES = 256 << 20  # of a run.json; ours are far below

Level = Literal["float", "quantised", "golden", "rtl"]
LEVELS: tuple[Level, ...] = get_args(Level)
CHIP_LEVELS: frozenset[Level] = frozenset(("golden", "rtl"))
CLEAN = "clean"  # the set without attack


class SetRecord(TypedDict):
    """One set of images at all levels.

    `spikes` is {layer: {level: spikes of all images}}; a layer on the host has no chip levels.
    """

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


class Rtl(TypedDict):
    """The RTL run as a whole. `counters` is {counter's name in lower case: per core}.

    `read_back` is the share of the passes of hidden layers whose membranes were read.
    """

    ticks: int
    cycles: int
    wall_s: float
    build_s: float
    read_back: float
    counters: dict[str, Grid]


class Facts(TypedDict):
    """Where, when and with what it ran; `stages` are seconds."""

    command: str
    checkpoint: str
    seed: int
    jobs: int
    started: str
    wall_s: float
    stages: dict[str, float]
    cpu: str
    cores: int
    versions: dict[str, str]


class Run(TypedDict):
    """All of a run. `labels` are the classes of the images, in the order of all predictions."""

    format: Literal["nc64c-run"]
    version: int
    dataset: str
    network: str
    encoding: str
    weight_bits: int
    timesteps: int
    classes: list[str]
    labels: list[int]
    chip: Chip
    sets: dict[str, SetRecord]
    examples: list[Example]
    rtl: Rtl
    facts: Facts


def accuracy(run: Run, name: str, level: str) -> float:
    """Right answers in percent."""
    predictions = run["sets"][name]["predictions"][level]
    right = sum(answer == label for answer, label in zip(predictions, run["labels"], strict=True))
    return 100 * right / len(run["labels"])


def adversarial_loss(run: Run, level: str) -> dict[str, float]:
    """Clean accuracy minus that under each attack, in points; empty without the clean set."""
    if CLEAN not in run["sets"]:
        return {}
    clean = accuracy(run, CLEAN, level)
    return {name: clean - accuracy(run, name, level) for name in run["sets"] if name != CLEAN}


def mismatches(run: Run) -> int:
    """Everything that is not as it must be, of RTL against golden and golden against network."""
    return sum(
        chosen["mismatched_spikes"] + chosen["mismatched_membranes"] + chosen["mapping_mismatches"]
        for chosen in run["sets"].values()
    )


def summary(run: Run) -> dict[str, Any]:
    """The content of `summary.json`; the keys stay in this order."""
    chip, rtl = run["chip"], run["rtl"]
    count = len(run["labels"])
    return {
        "schema_version": SUMMARY_VERSION,
        "images": count,
        "dataset": run["dataset"],
        "network": run["network"],
        "encoding": run["encoding"],
        "weight_bits": run["weight_bits"],
        "timesteps": run["timesteps"],
        "chip": {
            "mesh": f"{chip['columns']}x{chip['rows']}",
            "axons": chip["axons"],
            "dendrites": chip["dendrites"],
            "cores_used": sum(neurons > 0 for row in chip["neurons"] for neurons in row),
            "neurons_used": sum(map(sum, chip["neurons"])),
            "synapses_used": sum(map(sum, chip["synapses"])),
            "mapping": chip["mapping"],
        },
        "sets": {
            name: {
                "accuracy": {level: _rounded(accuracy(run, name, level)) for level in LEVELS},
                "spikes": {
                    layer: {level: counts[level] for level in sorted(CHIP_LEVELS)}
                    for layer, counts in chosen["spikes"].items()
                    if counts.keys() >= CHIP_LEVELS
                },
                "mismatched_spikes": chosen["mismatched_spikes"],
                "mismatched_membranes": chosen["mismatched_membranes"],
                "compared_spikes": chosen["compared_spikes"],
                "compared_membranes": chosen["compared_membranes"],
            }
            for name, chosen in run["sets"].items()
        },
        "adv_loss": {
            level: {name: _rounded(loss) for name, loss in adversarial_loss(run, level).items()}
            for level in LEVELS
        },
        "rtl": {
            "ticks": rtl["ticks"],
            "cycles": rtl["cycles"],
            "synaptic_ops": sum(map(sum, rtl["counters"]["synaptic_ops"])),
            "wall_s": round(rtl["wall_s"], 3),
            "images_per_s": round(count * len(run["sets"]) / rtl["wall_s"], 3),
            "build_s": round(rtl["build_s"], 3),
            "read_back": rtl["read_back"],
        },
    }


def _rounded(points: float) -> float:
    return round(points, 4)


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
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"cannot read {path}: {reason}; give a folder that nc64c cosim has written"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged or no JSON: run nc64c cosim again") from error
    if not isinstance(content, dict) or content.get("format") != "nc64c-run":
        raise InputError(f"{path} was not written by nc64c cosim")
    if content.get("version") != VERSION:
        raise InputError(
            f"{path} has version {content.get('version')}, this program reads {VERSION}: "
            "run nc64c cosim again"
        )
    wrong = misfit(content, Run, "run")
    if wrong:
        raise InputError(f"{path} is damaged at {wrong}: run nc64c cosim again")
    return _checked_sizes(path, content)


def _checked_sizes(path: Path, run: Any) -> Run:
    """Lists that belong together are of one length, grids are of the chip's size."""
    images = len(run["labels"])
    columns, rows = run["chip"]["columns"], run["chip"]["rows"]
    grids = [run["chip"]["neurons"], run["chip"]["synapses"], *run["rtl"]["counters"].values()]
    fits = (
        images > 0
        and all(len(grid) == rows and {len(row) for row in grid} == {columns} for grid in grids)
        and all(
            set(chosen["predictions"]) == set(LEVELS)
            and {len(answers) for answers in chosen["predictions"].values()} == {images}
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
        not 0 <= example["index"] < len(run["labels"])
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
