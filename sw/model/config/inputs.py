"""What a network takes: images in an encoding, or spikes that are given."""

from typing import Literal, get_args

Encoding = Literal["direct", "rate", "phase", "latency"]  # what they are: `sw.model.encoding`
Inputs = Encoding | Literal["spikes", "phase_spikes"]  # or, no images, spikes that are given

PIXEL_MAX = 255
PHASES = 8  # bits of a pixel
SPIKES: tuple[Inputs, ...] = ("spikes", "phase_spikes")
PHASED: tuple[Inputs, ...] = ("phase", "phase_spikes")  # a spike of step k counts 2^(7 - k mod 8)
INPUTS = (*get_args(Encoding), *SPIKES)
