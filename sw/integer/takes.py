"""What a network takes of a user's inputs."""

from sw.data.user.inputs import Takes
from sw.integer.network import IntegerNetwork


def takes(network: IntegerNetwork, tick: float | None = None) -> Takes:
    """The inputs that fit a network; `tick` is the seconds of a step into which events go."""
    return Takes(
        spikes=network.takes_spikes,
        timesteps=network.timesteps,
        shape=network.input_shape,
        classes=len(network.classes),
        tick=tick,
    )
