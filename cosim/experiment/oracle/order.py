"""What `nc64c oracle` is asked for."""

from dataclasses import dataclass
from pathlib import Path

from cosim.experiment.oracle.chip import parse_chips
from cosim.experiment.oracle.rows import parse_attacks, parse_draws
from cosim.rtl.choice import Choice
from hw.spec import ChipShape
from sw.attack.methods.budget import MAX_STEPS
from sw.common.checks import check_range


@dataclass(frozen=True)
class Order:
    """The arguments of `nc64c oracle`. Raises `InputError` for one that there cannot be.

    Attributes:
        chips, attacks, draws: names and numbers with commas; see `chip` and `rows`.
        eps: how far a pixel may move, in 1/255.
        queries: that an attack may ask about an image.
        images, rtl_images: how many held-out ones, and how many of them go through the RTL.
        rtl: whose RTL, and in which simulator.
        device: of the golden model.
    """

    checkpoint: Path
    data: Path | None
    out: Path
    shape: ChipShape
    chips: str
    attacks: str
    eps: int
    queries: int
    draws: str
    images: int
    rtl_images: int
    rtl: Choice
    seed: int
    device: str

    def __post_init__(self) -> None:
        parse_chips(self.chips)
        parse_attacks(self.attacks)
        check_range("eps", self.eps, 1, 255)
        check_range("queries", self.queries, 1, MAX_STEPS)
        parse_draws(self.draws)
        check_range("images", self.images, 1, 10**9)
        check_range("images in RTL", self.rtl_images, 0, self.images)
