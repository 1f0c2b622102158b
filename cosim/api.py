"""The Python API: what a user may import, as `import nc64c`. The rest may change at any time.

From a trained network to the first mismatch: `load_checkpoint`, `integer_network`, `map_network`,
`image_stimuli`, then a runner (`golden`, `verilator`, `icarus`, `amaranth`) and `compare`. Programs
written by hand: `core`, `Program`, `Step` with `spike`, `write`, `read` and `control`, `run_both`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.compare.chips import Comparison, Mismatch, compare_images
from cosim.experiment.levels import resident as resident_level
from cosim.experiment.levels.answers import read_out
from cosim.golden.batched.choice import GoldenChoice
from cosim.mapping import resident
from cosim.program.core_image import CoreImage
from cosim.program.handwritten import core, to_axons, to_host
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Runner, Stimulus
from cosim.program.stimulus import (
    Observation,
    Step,
    control,
    decode,
    read,
    read_membranes,
    spike,
    write,
)
from cosim.report.ci import summary
from hw.spec import (
    FULL_CHIP,
    ChipShape,
    Control,
    Counter,
    NeuronWord,
    Region,
    Register,
    ResetMode,
)
from sw.attack.image_sets import draw_images
from sw.common.errors import InputError
from sw.convert import steps
from sw.convert.decisions import Decisions
from sw.convert.kept import folder as import_folder
from sw.convert.kept import imported
from sw.convert.kept.imported import Imported
from sw.convert.tuned.calibrate import calibrate
from sw.convert.tuned.finetune import FineTuning, finetune
from sw.data.dataset import Dataset
from sw.data.user.inputs import UserInputs
from sw.data.user.read import read as read_user_inputs
from sw.integer import network_file
from sw.integer.fold import fold
from sw.integer.network import IntegerNetwork
from sw.integer.plain import PlainLayer, import_arrays
from sw.integer.takes import takes
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint

__all__ = [
    "FULL_CHIP",
    "Advance",
    "Both",
    "Checkpoint",
    "ChipShape",
    "Comparison",
    "Control",
    "CoreImage",
    "Counter",
    "Dataset",
    "FineTuning",
    "Imported",
    "InputError",
    "IntegerNetwork",
    "Mismatch",
    "NeuronWord",
    "Observation",
    "PlainLayer",
    "Program",
    "Region",
    "Register",
    "ResetMode",
    "Run",
    "Runner",
    "Step",
    "Stimulus",
    "UserInputs",
    "amaranth",
    "calibrate",
    "compare",
    "control",
    "core",
    "decode",
    "finetune",
    "golden",
    "held_out",
    "icarus",
    "image_stimuli",
    "import_arrays",
    "import_nir",
    "import_torch",
    "integer_network",
    "load_checkpoint",
    "load_network",
    "map_network",
    "predictions",
    "read",
    "read_inputs",
    "read_membranes",
    "read_summary",
    "run_both",
    "save_import",
    "save_network",
    "spike",
    "to_axons",
    "to_host",
    "verilator",
    "write",
]


def load_checkpoint(path: str | Path) -> Checkpoint:
    """A trained network, float and quantised. Raises `InputError` if the file is none."""
    return checkpoint.load(Path(path))


def integer_network(trained: Checkpoint) -> IntegerNetwork:
    """The quantised network in whole numbers, batch norm folded into thresholds and biases."""
    return fold(trained.quantised_network)


def import_nir(path: str | Path, timesteps: int, **decisions: Any) -> IntegerNetwork:
    """The network of a NIR file in whole numbers.

    `decisions` are those that a NIR file leaves open: dt, reset, fires, bits, code, inputs and
    approximate, as the options of `nc64c import`. Raises `InputError` for a file that is damaged,
    or a network that this chip cannot have.
    """
    return imported.import_nir(Path(path), Decisions(timesteps, **decisions)).network


def import_torch(
    model: Any, sample: Any, timesteps: int, *, mean: Any = None, std: Any = None, **decisions: Any
) -> Imported:
    """A trained model of snnTorch or SpikingJelly, followed while it is shown a sample.

    The sample is what the model is called with, or a list of T of it; a model that makes one step a
    call is shown a single one in every step. With `mean` and `std`, a number or one a channel, it
    is of images that were normalised, (pixel - mean) / std; the network takes them as they were.
    `decisions` are bits, code, inputs and approximate, as options of `nc64c import`. Gives a
    `network` in whole numbers and its contract, `document`, which `print` shows in words. Raises
    `InputError` for what cannot be followed, or what this chip cannot have.
    """
    from sw.convert.traced.model import import_torch

    return import_torch(model, sample, Decisions(timesteps, **decisions), mean, std)


def save_import(found: Imported, folder: str | Path, sample: UserInputs | None = None) -> None:
    """Writes a folder as `nc64c import` does, with a network.safetensors for `nc64c run`.

    With a `sample` (of `read_inputs`) the contract says what each change costs. Raises `InputError`
    if the folder cannot be written.
    """
    import_folder.save(Path(folder), found, None if sample is None else steps.costs(found, sample))


def save_network(network: IntegerNetwork, path: str | Path) -> None:
    """Writes a network for `load_network` and `nc64c run`. Raises `InputError`."""
    network_file.save(Path(path), network)


def load_network(path: str | Path) -> IntegerNetwork:
    """A network that `nc64c import` wrote. Raises `InputError` if the file is none."""
    return network_file.load(Path(path))


def read_inputs(
    path: str | Path, network: IntegerNetwork, tick: float | None = None, count: int | None = None
) -> UserInputs:
    """The first `count` inputs (None: all) of a file or folder, as a network takes them.

    Its `values` are uint8, images [n, C, H, W] or spikes [n, T, C, H, W]; its `labels` are int64
    [n], or None. `tick` is the seconds of a step, into which events of a camera are binned. Raises
    `InputError` if they are missing, damaged, too large, or not what the network takes.
    """
    return read_user_inputs(Path(path), takes(network, tick), count)


def map_network(network: IntegerNetwork, shape: ChipShape = FULL_CHIP) -> Program:
    """The program of a network of which all layers fit the chip at once.

    Raises `InputError`, with the layer and what it lacks, if they do not.
    """
    return resident.map_network(network, shape)


def held_out(dataset: str, count: int, seed: int = 0, folder: str | Path | None = None) -> Dataset:
    """Held-out images, uint8 [n, C, H, W], and their labels, drawn by a seed.

    `folder` is where the files of a data set are that does not come with a package: all but digits.
    Raises `InputError` if there are not so many, or no such files.
    """
    return draw_images(dataset, count, seed, None if folder is None else Path(folder))


def image_stimuli(
    program: Program, network: IntegerNetwork, images: NDArray[np.uint8]
) -> list[Stimulus]:
    """What a mapped network's chip is shown, image by image; `images` is uint8 [n, C, H, W].

    A stimulus restarts the chip, sends the input spikes tick by tick, and reads all membranes.
    """
    return list(resident_level.image_stimuli(program, network, images))


def golden(kind: str = "numpy", device: str = "cpu") -> Runner:
    """The golden model, bit for bit; "batched": in PyTorch, for many stimuli, on a device."""
    return GoldenChoice(kind, device).runner()


def verilator(shape: ChipShape = FULL_CHIP, *, front_door: bool = False) -> Runner:
    """Our RTL in Verilator; it is built once and kept in the user's cache folder.

    `front_door` loads memories as packets through the mesh, which takes time on the chip.
    """
    from cosim.rtl.runner import verilated

    return verilated(shape, front_door=front_door)


def icarus(shape: ChipShape = FULL_CHIP) -> Runner:
    """Our RTL in Icarus Verilog, where it is installed: slow, and it needs no build."""
    from cosim.rtl.icarus import icarus as simulator

    return simulator.runner(shape)


def amaranth(shape: ChipShape = FULL_CHIP) -> Runner:
    """Our RTL in Amaranth's own simulator: for the smallest chips, and without any compiler."""
    from cosim.rtl import amaranth_sim

    return amaranth_sim.runner(shape)


def compare(stimuli: Sequence[Stimulus], expected: Run, found: Run) -> Comparison:
    """Every spike and membrane of two runs of the same stimuli; its `first` names the first
    mismatch, by image (or stimulus), tick, core and neuron.
    """
    return compare_images(stimuli, expected.responses, found.responses)


@dataclass(frozen=True)
class Both:
    """A program on two chips: golden model, RTL, and how they compare."""

    golden: Run
    rtl: Run
    comparison: Comparison


def run_both(program: Program, stimuli: Sequence[Stimulus], rtl: Runner | None = None) -> Both:
    """Runs stimuli on the golden model and on the RTL (None: in Verilator), and compares them.

    Both chips begin as after power-up, with the program loaded.
    """
    expected = golden().run(program, stimuli)
    found = (rtl or verilator(program.shape)).run(program, stimuli)
    return Both(expected, found, compare(stimuli, expected, found))


def predictions(program: Program, run: Run) -> NDArray[np.int64]:
    """The class of each image, int64 [n], in a run of a mapped network; -1: it gave no answer."""
    return np.array([read_out(program, response).prediction for response in run.responses])


def read_summary(folder: str | Path) -> dict[str, Any]:
    """`summary.json` of a finished run; its keys stand in docs/summary-json.md.

    Raises `InputError` if there is none, or of another version than this one knows.
    """
    return summary.read(Path(folder))
