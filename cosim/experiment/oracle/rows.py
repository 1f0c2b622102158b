"""The rows of the table: who was asked while the images were made, and by which attack."""

from collections.abc import Sequence
from dataclasses import dataclass

from cosim.experiment.oracle.chip import Chip
from sw.attack.methods import BY_QUERIES, METHODS
from sw.common.checks import shown
from sw.common.errors import InputError

FLOAT, QUANTISED = "float network", "quantised network"  # in software
CHIP, SEEDS = "this chip", "other seeds of its noise"


@dataclass(frozen=True)
class Row:
    """Images that were made.

    Attributes:
        attack: a name of `sw.attack.methods.METHODS`.
        asked: `FLOAT` or `QUANTISED`, for any chip alike; or the `CHIP` that they are for; or
            `SEEDS`: the same chip by who does not know the seed of its noise, and averages.
    """

    attack: str
    asked: str

    @property
    def in_software(self) -> bool:
        return self.asked in (FLOAT, QUANTISED)


def parse_attacks(names: str) -> tuple[str, ...]:
    """Attacks from "apgd,square". Raises `InputError`."""
    found = tuple(name.strip() for name in names.split(","))
    for name in found:
        if name not in METHODS:
            raise InputError(f"unknown attack {shown(name)}: must be one of {', '.join(METHODS)}")
    if len(set(found)) != len(found):
        raise InputError(f"attacks {shown(names)}: one of them is there twice")
    return found


def rows_of(chip: Chip, attacks: Sequence[str]) -> list[Row]:
    """What is shown to a chip. A chip tells no gradient, so those attacks are software's alone."""
    found = [Row(attack, asked) for attack in attacks for asked in (FLOAT, QUANTISED)]
    asked_chips = [CHIP, SEEDS] if chip.noise_bits else [CHIP]
    return found + [
        Row(attack, asked) for attack in attacks if attack in BY_QUERIES for asked in asked_chips
    ]
