"""The chip and what a network takes of it, as the record of a run holds them."""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from hw.spec import MAX_PAGES

Resource = Literal["cores", "neurons", "dendrites", "axons", "synapses"]
RESOURCES: tuple[Resource, ...] = get_args(Resource)
# Bounds far above anything that a run counts, so that no figure made of it overflows.
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Size = Annotated[int, Meta(ge=1, le=2**31 - 1)]  # of something that is there
Amount = Annotated[float, Meta(ge=0, le=1e15)]
Grid = list[list[Count]]  # [mesh row][mesh column]


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a record: read from JSON, it has all of its fields, of their types, and no more."""


class LayerUse(Record, frozen=True, kw_only=True):
    """What one layer takes of the chip.

    `dendrites` are rows, `axons` those with a synapse, `synapses` the one bits.
    """

    layer: str
    cores: Count
    neurons: Count
    dendrites: Count
    axons: Count
    synapses: Count

    @property
    def counts(self) -> dict[Resource, int]:
        """How much of each resource."""
        return {name: getattr(self, name) for name in RESOURCES}


class StreamedLayer(Record, frozen=True, kw_only=True):
    """How one layer of a streamed network is done; passes, rows and cycles are per image.

    `tile` is height and width of its output. A tile takes `cores_per_tile` cores, and `slots` of
    them are done at once. `rows` are dendrite rows of all steps, `cycles` what
    `cosim.mapping.streamed` expects, `dendrites` those in use of an average core, `fullest_core`
    those of the fullest.
    """

    layer: str
    tile: tuple[Count, Count]
    tiles: Count
    cores_per_tile: Count
    slots: Count
    rounds: Count
    passes: Amount
    rows: Count
    cycles: Amount
    dendrites: Amount
    fullest_core: Count


class Chip(Record, frozen=True, kw_only=True):
    """The chip, and what the network takes of it; grids are per core.

    Of a streamed network, `layers` are what each takes while it is there, grids the most of any
    layer. `schedule` is empty for a resident one.
    """

    columns: Size
    rows: Size
    axons: Size
    dendrites: Size
    mapping: Literal["resident", "streamed"]
    layers: list[LayerUse]
    schedule: list[StreamedLayer]
    neurons: Grid
    synapses: Grid


def totals(chip: Chip) -> dict[Resource, int]:
    """What all layers together take of each resource."""
    return {name: sum(layer.counts[name] for layer in chip.layers) for name in RESOURCES}


def capacity(chip: Chip) -> dict[Resource, int]:
    """What the chip has of each resource."""
    cores = chip.columns * chip.rows
    return {
        "cores": cores,
        "neurons": cores * chip.dendrites,
        "dendrites": cores * chip.dendrites,
        "axons": cores * chip.axons * MAX_PAGES,
        "synapses": cores * chip.dendrites * chip.axons,
    }
