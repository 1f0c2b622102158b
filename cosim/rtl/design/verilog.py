"""The Verilog of a chip, file by file: ours, a user's core in our mesh, or a user's chip."""

from functools import lru_cache

from cosim.rtl.design.design import Design, is_whole_chip
from hw.spec import ChipShape
from hw.verilog import export
from hw.verilog.export import PlacedCore

CHIP, TILE, USERS = "nc64c_chip.v", "nc64c_tile.v", "rtl.sv"


@lru_cache(maxsize=4)
def chip_files(
    shape: ChipShape, design: Design | None = None, *, tiles: bool = True
) -> dict[str, bytes]:
    """Content by name; the user's comes last, for its directives reach to the end.

    Without `tiles` their module is left out, and a core that lies in it.
    """
    if is_whole_chip(design):
        return {USERS: design.text}
    files = {CHIP: export.chip_verilog(shape).encode()}
    if not tiles:
        return files
    if design is None:
        return files | {TILE: export.tile_verilog(shape).encode()}
    core = PlacedCore(design.top, dict(design.parameters))
    return files | {TILE: export.tile_around(core).encode(), USERS: design.text}
