"""What attacks cost a network: Algorithm 1, with the attack model beside the target model."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sw.attack.attacks import Attack, attacked
from sw.data.dataset import Dataset, Images
from sw.model.metrics import accuracy, activity, adv_loss, evaluate, nsr
from sw.model.network import SpikingNetwork


@dataclass(frozen=True)
class SetFigures:
    """A network's answers to one set of images.

    Attributes:
        accuracy: per cent.
        spikes: per hidden layer, all images and steps together.
        activity: per hidden layer, spikes per neuron and image.
    """

    accuracy: float
    spikes: dict[str, int]
    activity: dict[str, float]


@dataclass(frozen=True)
class Robustness:
    """The clean images' figures, and those of each attack, by name."""

    clean: SetFigures
    attacked: dict[str, SetFigures]

    def adv_loss(self, name: str) -> float:
        """Points of accuracy that an attack costs."""
        return adv_loss(self.clean.accuracy, self.attacked[name].accuracy)

    def nsr(self, name: str) -> dict[str, float]:
        """Noise to signal ratio of each hidden layer under an attack, Eq. 14."""
        spikes = self.attacked[name].spikes
        return {layer: nsr(count, spikes[layer]) for layer, count in self.clean.spikes.items()}


def measure(
    target: SpikingNetwork,
    data: Dataset,
    attacks: Mapping[str, Attack],
    attacker: SpikingNetwork | None = None,
) -> Robustness:
    """Attack a network and count its answers and its spikes (Algorithm 1).

    Args:
        target: the network that is to answer; float or quantised.
        data: the images, at least one.
        attacks: by name.
        attacker: the attack model, whose gradient makes the images (transfer); None: the target's
            own (white-box).
    """
    source = target if attacker is None else attacker
    made = attacked(source, data, attacks)
    return Robustness(
        _figures(target, data, data.images),
        {name: _figures(target, data, moved.images) for name, moved in made.items()},
    )


@contextmanager
def quantised(network: SpikingNetwork, bits: int | None) -> Iterator[SpikingNetwork]:
    """The network with its weights seen through K bits, without any training; then as it was.

    Algorithm 1's quantise and restore. The float weights themselves never change: the forward pass
    puts the quantiser in front of them.

    Args:
        bits: K, or None for the float weights.
    """
    before = network.weight_bits
    network.weight_bits = bits
    try:
        yield network
    finally:
        network.weight_bits = before


def _figures(network: SpikingNetwork, data: Dataset, images: Images) -> SetFigures:
    found = evaluate(network, images)
    return SetFigures(
        accuracy(found.predictions, data.labels),
        found.spikes,
        activity(network, found.spikes, len(images)),
    )
