"""From layers in floats to an integer network and its contract; and from a NIR file."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sw.convert.decisions import Decisions
from sw.convert.float_layer import FloatLayer
from sw.convert.kept.contract import contract, lines
from sw.convert.linear_map import identity, simplest
from sw.convert.nir import file as nir_file
from sw.convert.nir.graph import NirLayers
from sw.convert.quantise import Quantised, Tuning, quantised
from sw.integer.network import IntegerNetwork

COUNT = "count"  # the layer that counts the spikes of a last layer that fires


@dataclass(frozen=True, eq=False)
class Imported:
    """A network in floats and in integers, and its contract (`sw.convert.kept.contract`).

    `decisions` are what they were made by; `origin` is what the floats are: those of a "file" or of
    a "framework"; `tunings` are by layer what a calibration has found.
    """

    floats: tuple[FloatLayer, ...]
    network: IntegerNetwork
    document: dict[str, Any]
    decisions: Decisions
    origin: str = "file"
    tunings: dict[str, Tuning] = field(default_factory=dict)

    def parts(self) -> list[Quantised]:
        """Each layer before and after."""
        return _quantised(self.floats, self.decisions, self.tunings)

    def __str__(self) -> str:
        return "\n".join(lines(self.document))


def import_nir(path: Path, decisions: Decisions) -> Imported:
    """The network of a NIR file.

    Raises `InputError` for a file that is damaged, or a network that this chip cannot have.
    """
    layers = NirLayers(nir_file.read(path), decisions).layers
    sentences = list(decisions.sentences())
    if any(layer.name in arm.sources for layer in layers for arm in layer.beside):
        sentences.append("a layer's own spikes come back to it in the step after")
    return converted(path.name, layers, decisions, sentences)


def converted(
    name: str,
    layers: Sequence[FloatLayer],
    decisions: Decisions,
    sentences: Sequence[str],
    tunings: dict[str, Tuning] | None = None,
) -> Imported:
    """Layers in floats as a network; `sentences` say what was decided about them.

    A last layer that fires is counted: by a layer with one synapse of weight 1 for each neuron,
    which integrates, so that its membranes are the counts.

    Raises `InputError` for what this chip cannot have.
    """
    every = [*layers, _counting(layers[-1])] if layers[-1].spiking else list(layers)
    done = _quantised(every, decisions, tunings or {})
    network = IntegerNetwork(
        name=Path(name).stem,
        dataset="imported",
        encoding=decisions.inputs,
        timesteps=decisions.timesteps,
        classes=tuple(str(number) for number in range(done[-1].layer.features)),
        layers=tuple(each.layer for each in done),
    )
    document = contract(name, done, decisions.timesteps, sentences)
    return Imported(tuple(every), network, document, decisions, tunings=tunings or {})


def tuned_anew(found: Imported, tunings: dict[str, Tuning], sentence: str) -> Imported:
    """The same floats with other tunings, and a sentence on how they came about."""
    document = found.document
    sentences = [*document["decisions"], sentence]
    done = converted(document["source"], found.floats, found.decisions, sentences, tunings)
    done.document.update({name: document[name] for name in ("checked",) if name in document})
    return replace(done, origin=found.origin)


def _quantised(
    layers: Sequence[FloatLayer], decisions: Decisions, tunings: dict[str, Tuning]
) -> list[Quantised]:
    return [
        quantised(layer, decisions, first=not at, tuning=tunings.get(layer.name))
        for at, layer in enumerate(layers)
    ]


def _counting(last: FloatLayer) -> FloatLayer:
    drive = simplest(identity((int(np.prod(last.drive.outputs)), 1, 1)))
    return FloatLayer(COUNT, (last.name,), drive, 1.0, np.zeros(len(drive.weights)), False)
