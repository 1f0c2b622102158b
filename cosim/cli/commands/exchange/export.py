"""`nc64c export`: a network as a NIR file, for other frameworks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosim.cli.console import say
from cosim.cli.guard import guarded
from cosim.cli.options import QuietOption
from sw.common.errors import InputError
from sw.files import output

if TYPE_CHECKING:
    from sw.integer.network import IntegerNetwork

EXAMPLE = (
    "Examples: `nc64c export checkpoints/digits.safetensors --out digits.nir` and, of an imported "
    "network, `nc64c export out/net/network.safetensors --out net.nir`"
)


def export(
    network: Annotated[Path, typer.Argument(help="Checkpoint, or network file of nc64c import.")],
    out: Annotated[Path, typer.Option(help="NIR file.")],
    dt: Annotated[float, typer.Option(help="Seconds of a step, for LIF.")] = 1e-4,
    quiet: QuietOption = False,
) -> None:
    """Write a network as a NIR file: of a checkpoint, the quantised one in whole numbers.

    Weights, thresholds and biases are whole membrane units, so without a leak it fires spike for
    spike as here; a leak is exact in NIR and rounds down here.
    """
    with guarded(quiet):
        output.check_file(out, network)
        from sw.convert.nir.export import write

        chosen = _loaded(network)
        write(out, chosen, dt)
    say(quiet, f"{out}: {chosen.name}, {len(chosen.layers)} layers")


def _loaded(path: Path) -> "IntegerNetwork":
    """A network file, or the quantised network of a checkpoint. Raises `InputError`."""
    from sw.files import tensorfile
    from sw.integer import network_file
    from sw.integer.fold import fold
    from sw.train import checkpoint

    try:
        tensorfile.read_document(path, network_file.FORMAT)
    except InputError:
        return fold(checkpoint.load(path).quantised_network)
    return network_file.load(path)
