"""Scores, losses and their gradient by the pixels, by the way that an attacker chose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from sw.attack.gradient.losses import Loss, cross_entropy
from sw.attack.gradient.paper import approximated
from sw.attack.gradient.rate import by_approximated_rate, by_rate
from sw.attack.gradient.surrogates import SURROGATES
from sw.attack.gradient.surrogates.slope import Slope
from sw.attack.gradient.way import Pixels, Way
from sw.common.errors import InputError
from sw.model.config.network import NetworkConfig
from sw.model.encoding import DIFFERENTIABLE
from sw.model.network import Neurons, SpikingNetwork

Fire = Callable[[Neurons, Tensor], Tensor]


class Seen(NamedTuple):
    """Scores, float [B, classes], the losses, float [B], and the gradient of their sum by pixels.

    The gradient is of the pixels' shape.
    """

    scores: Tensor
    losses: Tensor
    gradient: Tensor


class Sight:
    """What an attacker sees of one batch of images while he moves them.

    The network is used in the mode in which it is, and left as it was; its parameters gather no
    gradient.
    """

    def __init__(self, way: Way) -> None:
        self.way = way
        self._slope = _slope(way)
        self._steps = 0

    def look(
        self,
        network: SpikingNetwork,
        pixels: Tensor,
        labels: Tensor,
        loss: Loss = cross_entropy,
    ) -> Seen:
        """Means over the draws of the encoding, each look with others; or what is, without.

        Args:
            network: float or quantised.
            pixels: float [B, C, H, W] in 0..1, on the network's device; or spikes, as the network
                takes them, [B, T, C, H, W].
            labels: int64 [B], on the same device.
            loss: of the scores.

        Raises:
            InputError: autograd was asked for where the encoding has no gradient, or the
                approximation where the first layer is not a plain convolution.
        """
        self.way.check(network.config)
        self._slope.step()
        draws = self.way.draws
        own = network.draw
        seeds = range(own + 1 + self._steps * draws, own + 1 + (self._steps + 1) * draws)
        self._steps += 1
        with self.firing(network):
            seen = [
                self._once(network, pixels, labels, loss)
                for _ in _drawn(network, seeds if draws else (own,))
            ]
        if len(seen) == 1:
            return seen[0]
        return Seen(*(torch.stack(each).mean(0) for each in zip(*seen, strict=True)))

    def keep(self, images: Tensor) -> None:
        """Only these images of the batch will be looked at from now on; bool [B]."""
        self._slope.keep(images)

    @contextmanager
    def firing(self, network: SpikingNetwork) -> Iterator[None]:
        """The network with the gradient of this way, and then as it was."""
        before: Fire | None = network.fire
        network.fire = self._fire()
        try:
            yield
        finally:
            network.fire = before

    def _once(self, network: SpikingNetwork, pixels: Tensor, labels: Tensor, loss: Loss) -> Seen:
        with _for_longer(network, self.way.times):
            found = self._through(network, pixels, labels, loss)
        if self.way.times == 1:
            return found
        with torch.no_grad():
            scores = network(pixels)
            return Seen(scores, loss(scores, labels), found.gradient)

    def _through(self, network: SpikingNetwork, pixels: Tensor, labels: Tensor, loss: Loss) -> Seen:
        how = self.way.pixels or usual(network)
        if how == "approximated":
            scores, losses, gradient = approximated(network, pixels, labels, loss)
            return Seen(scores.detach(), losses.detach(), gradient)
        if not _has_gradient(network.config):
            encoding = network.config.encoding
            raise InputError(
                f"network {network.config.name}: encoding {encoding} has no gradient by the pixels;"
                " take the approximated one"
            )
        pixels = pixels.detach().requires_grad_()
        scores = network(pixels)
        losses = loss(scores, labels)
        (gradient,) = torch.autograd.grad(losses.sum(), pixels)
        return Seen(scores.detach(), losses.detach(), gradient)

    def _fire(self) -> Fire | None:
        """How the neurons fire; None: as they were trained."""
        if self.way.through == "rate":
            return by_rate
        if self.way.through == "rga":
            return by_approximated_rate
        if self.way.surrogate == "paper" and self.way.width is None:
            return None
        slope = self._slope

        def fire(neurons: Neurons, drive: Tensor) -> Tensor:
            return neurons.fire(drive, lambda u, theta: slope(neurons.layer, u, theta))

        return fire


def _has_gradient(config: NetworkConfig) -> bool:
    """Whether autograd finds a way to the inputs."""
    return config.takes_spikes or config.encoding in DIFFERENTIABLE


def usual(network: SpikingNetwork) -> Pixels:
    """Autograd where the network's encoding has a gradient, the approximation where it has none."""
    return "autograd" if _has_gradient(network.config) else "approximated"


def by_pixels(
    network: SpikingNetwork, pixels: Tensor, labels: Tensor, way: Way | None = None
) -> Tensor:
    """Gradient of the cross-entropy, summed over the images, by each pixel; as `Sight.look`."""
    return Sight(way or Way()).look(network, pixels, labels).gradient


@contextmanager
def _for_longer(network: SpikingNetwork, times: int) -> Iterator[None]:
    """The network with so many times its steps, and then as it was."""
    own = network.timesteps
    network.timesteps = times * own
    try:
        yield
    finally:
        network.timesteps = own


def _slope(way: Way) -> Slope:
    surrogate = SURROGATES[way.surrogate]
    return surrogate.make(surrogate.usual if way.width is None else way.width)


def _drawn(network: SpikingNetwork, seeds: range | tuple[int]) -> Iterator[None]:
    """The network with each of these draws of its encoding in turn, and then with its own."""
    own = network.draw
    try:
        for seed in seeds:
            network.draw = seed
            yield
    finally:
        network.draw = own
