"""The rows of the table: who was asked while the images were made, and by which attack."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cosim.experiment.oracle.chip import Chip
from sw.attack.methods import BY_QUERIES, METHODS
from sw.attack.set_names import OF_SPIKES
from sw.common.checks import check_choice, check_range, shown
from sw.common.errors import InputError

FLOAT, QUANTISED = "float network", "quantised network"  # in software, for any chip alike
NOISY, EXPECTED = "quantised network, this noise", "quantised network, other seeds of it"
CHIP, SEEDS = "this chip", "other seeds of its noise"
BLIND = ("noise",)  # attacks that ask nobody
MAX_DRAWS = 100


@dataclass(frozen=True)
class Row:
    """Images that were made.

    Attributes:
        attack: a name of `sw.attack.methods.METHODS`.
        asked: `FLOAT` or `QUANTISED`; or this with the noise of a chip, `NOISY`, or with its
            expectation, `EXPECTED`; or the `CHIP` that they are for; or `SEEDS`: the same chip by
            who does not know the seed of its noise, and averages.
        draws: how many other seeds that is, of `EXPECTED` and `SEEDS`.
    """

    attack: str
    asked: str
    draws: int = 0

    @property
    def for_any_chip(self) -> bool:
        return self.asked in (FLOAT, QUANTISED)

    @property
    def on_chip(self) -> bool:
        return self.asked in (CHIP, SEEDS)


def parse_attacks(names: str) -> tuple[str, ...]:
    """Attacks from "apgd,square". Raises `InputError`."""
    found = tuple(name.strip() for name in names.split(","))
    every = [name for name in METHODS if name not in OF_SPIKES]
    for name in found:
        check_choice("unknown attack", name, every)
    if len(set(found)) != len(found):
        raise InputError(f"attacks {shown(names)}: one of them is there twice")
    return found


def rows_of(chip: Chip, attacks: Sequence[str], draws: Sequence[int]) -> list[Row]:
    """What is shown to a chip. It tells no gradient: that is the network's with its noise."""
    found = [Row(attack, asked) for attack in attacks for asked in (FLOAT, QUANTISED)]
    for attack in attacks:
        queries = attack in BY_QUERIES
        known, others = (CHIP, SEEDS) if queries else (NOISY, EXPECTED)
        if queries or (chip.noise_bits and attack not in BLIND):
            found.append(Row(attack, known))
        if chip.noise_bits and attack not in BLIND:
            found += [Row(attack, others, count) for count in draws]
    return found


def parse_draws(counts: str) -> tuple[int, ...]:
    """How many seeds are averaged over, from "1,4". Raises `InputError`."""
    found = []
    for text in (each.strip() for each in counts.split(",")):
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise InputError(f"draws {shown(counts)}: must be whole numbers, such as 1,4")
        found.append(int(text))
        check_range("draws", found[-1], 1, MAX_DRAWS)
    if len(set(found)) != len(found):
        raise InputError(f"draws {shown(counts)}: one of them is there twice")
    return tuple(found)
