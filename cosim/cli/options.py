"""The options that several commands of `nc64c` share."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from hw.spec import AXONS, DENDRITES, ChipShape
from sw.attack.set_names import CLEAN, KINDS, MAX_EPS, OF_SPIKES
from sw.common.checks import shown
from sw.common.errors import InputError

MAX_SEED = 2**32 - 1
MAX_PROCESSES = MAX_THREADS = 1024
MAX_IMAGES = 10**9
CLOCK_MHZ = 100.0  # ours: the chip's is unpublished
SETS_HELP = (
    f"Sets: {', '.join([CLEAN, *(f'{kind}_EPS' for kind in KINDS)])}; EPS in 1/{MAX_EPS},"
    f" of {', '.join(OF_SPIKES)} in spikes."
)

CheckpointOption = Annotated[
    Path, typer.Option(help="Trained network (safetensors).", show_default="the digits network")
]
AttackerOption = Annotated[
    Path | None,
    typer.Option(help="Network that sets transfer_EPS are made on.", show_default="none"),
]
DataOption = Annotated[
    Path | None, typer.Option(help="Folder of the data set's files.", show_default="none needed")
]
SetsOption = Annotated[
    str,
    typer.Option(help=SETS_HELP),
]
RunSetsOption = Annotated[
    str | None,
    typer.Option(
        help=f"{SETS_HELP} Or files with images and labels of yours, a set each.",
        show_default="clean,fgsm_2,fgsm_8,fgsm_16; with --replay all of the file",
    ),
]
ReplayOption = Annotated[
    Path | None,
    typer.Option(
        help="Show the images of this file, made by nc64c attack or kept in a run's images folder.",
        show_default="none",
    ),
]
ImagesOption = Annotated[int, typer.Option(help="Held-out images per set.", max=MAX_IMAGES)]
RtlImagesOption = Annotated[
    int, typer.Option(help="Held-out images per set, in RTL.", max=MAX_IMAGES)
]
RunImagesOption = Annotated[
    int | None,
    typer.Option(
        help="Held-out images per set, in RTL.",
        max=MAX_IMAGES,
        show_default="200; with --replay all of the file",
    ),
]
GoldenImagesOption = Annotated[
    int | None,
    typer.Option(
        help="Images per set up to the golden model; those in RTL are a sample of them.",
        max=MAX_IMAGES,
        show_default="those in RTL",
    ),
]
SeedOption = Annotated[int, typer.Option(help="Of all that is drawn.", min=0, max=MAX_SEED)]
MeshOption = Annotated[str, typer.Option(help="Cores of the chip, columns x rows.")]
AxonsOption = Annotated[int, typer.Option(help="Axons of a core, per page.", max=AXONS)]
DendritesOption = Annotated[int, typer.Option(help="Dendrites of a core.", max=DENDRITES)]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")]
JobsOption = Annotated[
    int | None,
    typer.Option(
        help="Processes, a shard each.",
        min=1,
        max=MAX_PROCESSES,
        show_default="as many as cores",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(help="Address of a Dask scheduler, to run shards there.", show_default="none"),
]
JunitOption = Annotated[
    Path | None,
    typer.Option(help="File for the result as JUnit XML, for CI.", show_default="none"),
]
FrontDoorOption = Annotated[
    bool, typer.Option("--front-door", help="Load weights as packets through the mesh (slower).")
]
GoldenOption = Annotated[
    Literal["numpy", "batched"],
    typer.Option(help="Golden model: numpy, the reference, or batched, faster, equal bit for bit."),
]
GoldenDeviceOption = Annotated[
    str, typer.Option("--device", help="Of the batched golden model: cpu, cuda, or cuda:1 and on.")
]
ClockOption = Annotated[
    float, typer.Option(help="Clock that ticks/s and images/s of the chip are for.")
]


def chip_shape(mesh: str, axons: int, dendrites: int) -> ChipShape:
    """A chip's size; raises `InputError` for one that there cannot be."""
    size = re.fullmatch(r"(\d{1,4})x(\d{1,4})", mesh, re.ASCII)
    if size is None:
        raise InputError(f"mesh {shown(mesh)}: must be columns x rows, such as 8x8")
    try:
        return ChipShape(int(size[1]), int(size[2]), axons, dendrites)
    except ValueError as error:
        raise InputError(str(error)) from error


def kept(out: Path) -> str:
    """What an interrupted run of shards has left, in words."""
    for what in ("shards", "images"):
        folder = out / what
        if folder.is_dir() and any(folder.iterdir()):
            return f"finished {what} are in {folder}: the same command goes on from there"
    return "nothing was written"
