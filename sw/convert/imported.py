"""From a file of another framework to an integer network and its contract."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sw.convert import nir_file
from sw.convert.contract import contract
from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.linear_map import identity, simplest
from sw.convert.nir_graph import NirLayers
from sw.convert.quantise import quantised
from sw.integer.network import IntegerNetwork

COUNT = "count"  # the layer that counts the spikes of a last layer that fires


@dataclass(frozen=True, eq=False)
class Imported:
    """A network in floats and in integers, and its contract (`sw.convert.contract`)."""

    floats: tuple[FloatLayer, ...]
    network: IntegerNetwork
    document: dict[str, Any]


def import_nir(path: Path, decisions: Decisions) -> Imported:
    """The network of a NIR file.

    A last layer that fires is counted: by a layer with one synapse of weight 1 for each neuron,
    which integrates, so that its membranes are the counts.

    Raises `InputError` for a file that is damaged, or a network that this chip cannot have.
    """
    layers = NirLayers(nir_file.read(path), decisions).layers
    if layers[-1].spiking:
        layers.append(_counting(layers[-1]))
    done = [quantised(layer, decisions, first=not at) for at, layer in enumerate(layers)]
    network = IntegerNetwork(
        name=path.stem,
        dataset="imported",
        encoding=decisions.inputs,
        timesteps=decisions.timesteps,
        classes=tuple(str(number) for number in range(done[-1].layer.features)),
        layers=tuple(each.layer for each in done),
    )
    return Imported(tuple(layers), network, contract(path.name, done, decisions))


def _counting(last: FloatLayer) -> FloatLayer:
    drive = simplest(identity((int(np.prod(last.drive.outputs)), 1, 1)))
    return FloatLayer(COUNT, (last.name,), drive, 1.0, np.zeros(len(drive.weights)), False)
