"""Which chip: as it should be, with threshold noise, with stuck synapses, or with both."""

import re
from dataclasses import dataclass, replace
from typing import Self

from cosim.mapping.choose import Mapping
from cosim.mapping.noise import check_bits, with_noise
from cosim.mapping.stuck import with_stuck
from sw.common.checks import check_range, shown
from sw.common.errors import InputError

PLAIN = "plain"
PART = re.compile(r"(noise|stuck)_(\d{1,4})", re.ASCII)


@dataclass(frozen=True)
class Chip:
    """One chip.

    Attributes:
        noise_bits: of its neurons' thresholds; 0: none.
        stuck: of 1000 synapses.
    """

    noise_bits: int = 0
    stuck: int = 0

    @classmethod
    def parse(cls, name: str) -> Self:
        """From plain, noise_12, stuck_10, or two with a plus sign. Raises `InputError`."""
        found = {"noise": 0, "stuck": 0}
        if name != PLAIN:
            for part in name.split("+"):
                match = PART.fullmatch(part)
                if match is None or found[match[1]] or not int(match[2]):
                    raise InputError(
                        f"unknown chip {shown(name)}: must be {PLAIN}, noise_BITS, stuck_N for N "
                        "synapses of 1000, or both such as noise_12+stuck_10"
                    )
                found[match[1]] = int(match[2])
        check_bits(found["noise"])
        check_range("stuck synapses of 1000", found["stuck"], 0, 1000)
        return cls(found["noise"], found["stuck"])

    def mapping(self, of: Mapping, seed: int, noise_seed: int | None = None) -> Mapping:
        """A mapping on this chip; `seed` says which cells are stuck, and what its noise is.

        With `noise_seed` its noise is another one: what who does not know the seed can try out.
        """
        noise = seed if noise_seed is None else noise_seed
        return with_noise(with_stuck(of, self.stuck, seed), self.noise_bits, noise)

    @property
    def same_without_faults(self) -> "Chip":
        return replace(self, stuck=0)


def parse_chips(names: str) -> dict[str, Chip]:
    """Chips by name, from "plain,noise_12". Raises `InputError`."""
    parts = [part.strip() for part in names.split(",")]
    if len(set(parts)) != len(parts):
        raise InputError(f"chips {shown(names)}: one of them is there twice")
    return {part: Chip.parse(part) for part in parts}
