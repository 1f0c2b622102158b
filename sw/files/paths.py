"""Where the networks lie that come with the project.

`checkpoints/` stands beside the packages, in a checkout and where a wheel was installed. The wheel
has the digits network alone; the others come with a checkout.
"""

from pathlib import Path

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
DIGITS_CHECKPOINT = CHECKPOINTS / "digits.safetensors"
VGG5_CHECKPOINT = CHECKPOINTS / "vgg5.safetensors"
