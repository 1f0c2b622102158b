"""`summary.json` as types, and as the JSON Schema that docs/summary.schema.json is.

Keys may be added at any time, so others than these are allowed. Those without which there were
summaries of this version already need not be there.

    python -m cosim.report.ci.schema > docs/summary.schema.json
"""

import json
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from cosim.record.chip_facts import Count, Size
from cosim.record.record import Level

Percent = Annotated[float, Meta(ge=0, le=100)]
Points = Annotated[float, Meta(ge=-100, le=100)]
Amount = Annotated[float, Meta(ge=0)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Losses = dict[Level, dict[str, Points]]


class ChipSummary(Struct, kw_only=True):
    """The chip's size, and what the network takes of it."""

    mesh: Annotated[str, Meta(pattern="^[1-9][0-9]*x[1-9][0-9]*$")]
    axons: Size
    dendrites: Size
    cores_used: Count
    neurons_used: Count
    synapses_used: Count
    mapping: Literal["resident", "streamed"]


class SetSummary(Struct, kw_only=True):
    """One set of images."""

    accuracy: dict[Level, Percent]
    accuracy_interval: dict[Level, tuple[Percent, Percent]]
    sample_accuracy: dict[Level, Percent]
    spikes: dict[str, dict[Literal["golden", "rtl"], Count]]
    mismatched_spikes: Count
    mismatched_membranes: Count
    compared_spikes: Count
    compared_membranes: Count
    images_sha256: Digest | UnsetType = UNSET
    zero_gradients: Count | UnsetType = UNSET


class RtlSummary(Struct, kw_only=True):
    """The RTL run, and whose RTL it was."""

    ticks: Count
    cycles: Count
    synaptic_ops: Count
    wall_s: Amount
    images_per_s: Amount
    process_s: Amount
    build_s: Amount
    read_back: Annotated[float, Meta(ge=0, le=1)]
    simulator: Literal["verilator", "icarus"] | UnsetType = UNSET
    design: Literal["ours", "chip", "core"] | UnsetType = UNSET
    top: str | UnsetType | None = UNSET
    files: dict[str, Digest] | UnsetType = UNSET


class LayerSummary(Struct, kw_only=True):
    """A layer's share of the hardware's figures, per image."""

    synaptic_ops: Amount
    cycles: Amount | None
    flits: Amount
    energy_nj: Amount


class HardwareSummary(Struct, kw_only=True):
    """What the chip would take at its clock."""

    clock_mhz: Annotated[float, Meta(gt=0)]
    pj_per_synaptic_op: Amount
    synaptic_ops_per_image: Amount
    cycles_per_image: Amount
    flits_per_image: Amount
    energy_nj_per_image: Amount
    ticks_per_s: Amount
    images_per_s: Amount
    layers: dict[str, LayerSummary]


class Summary(Struct, kw_only=True):
    """What `summary.json` has; docs/summary-json.md says what each key means."""

    schema_version: Literal[1]
    images: Size
    level_images: dict[Level, Size]
    dataset: str
    network: str
    encoding: str
    weight_bits: Count
    timesteps: Count
    noise_bits: Count
    chip: ChipSummary
    sets: dict[str, SetSummary]
    adv_loss: Losses
    adv_loss_interval: dict[Level, dict[str, tuple[Points, Points]]]
    sample_adv_loss: Losses
    worst_accuracy: dict[Level, dict[str, Percent]] | UnsetType = UNSET
    worst_accuracy_interval: dict[Level, dict[str, tuple[Percent, Percent]]] | UnsetType = UNSET
    rtl: RtlSummary
    hardware: HardwareSummary


def schema() -> dict[str, Any]:
    """The JSON Schema, draft 2020-12."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "summary.json"}
    return {**head, **msgspec.json.schema(Summary)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
