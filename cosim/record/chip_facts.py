"""The chip and what a network takes of it, as the record of a run holds them."""

from typing import Literal, TypedDict, get_args

from hw.spec import MAX_PAGES

Resource = Literal["cores", "neurons", "dendrites", "axons", "synapses"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)
Grid = list[list[int]]  # [mesh row][mesh column]


class LayerUse(TypedDict):
    """What one layer takes of the chip."""

    layer: str
    cores: int
    neurons: int
    dendrites: int
    axons: int
    synapses: int


class StreamedLayer(TypedDict):
    """How one layer of a streamed network is done; passes, rows and cycles are per image.

    `tile` is height and width of its output. A tile takes `cores_per_tile` cores, and `slots` of
    them are done at once. `rows` are dendrite rows of all steps, `cycles` what
    `cosim.mapping.streamed` expects, `dendrites` those in use of an average core, `fullest_core`
    those of the fullest.
    """

    layer: str
    tile: list[int]
    tiles: int
    cores_per_tile: int
    slots: int
    rounds: int
    passes: float
    rows: int
    cycles: float
    dendrites: float
    fullest_core: int


class Chip(TypedDict):
    """The chip, and what the network takes of it; grids are per core.

    Of a streamed network, `layers` are what each takes while it is there, grids the most of any
    layer. `schedule` is empty for a resident one.
    """

    columns: int
    rows: int
    axons: int
    dendrites: int
    mapping: Literal["resident", "streamed"]
    layers: list[LayerUse]
    schedule: list[StreamedLayer]
    neurons: Grid
    synapses: Grid


def totals(chip: Chip) -> dict[Resource, int]:
    """What all layers together take of each resource."""
    return {name: sum(int(layer[name]) for layer in chip["layers"]) for name in RESOURCES}


def capacity(chip: Chip) -> dict[Resource, int]:
    """What the chip has of each resource."""
    cores = chip["columns"] * chip["rows"]
    return {
        "cores": cores,
        "neurons": cores * chip["dendrites"],
        "dendrites": cores * chip["dendrites"],
        "axons": cores * chip["axons"] * MAX_PAGES,
        "synapses": cores * chip["dendrites"] * chip["axons"],
    }
