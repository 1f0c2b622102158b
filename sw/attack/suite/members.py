"""The attacks of each suite; their strength is given when they run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sw.attack.attacks import Attack
from sw.attack.gradient.way import MAX_DRAWS, TRAINED, Way
from sw.attack.methods.budget import MAX_STEPS
from sw.attack.set_names import TRANSFER
from sw.common.checks import check_choice, check_range
from sw.common.errors import InputError

LARGEST = 255  # at this strength any image may become any other: nothing may stay right
NOISE, SINGLE, STRONGEST, BLACK_BOX = "noise", "fgsm", "apgd", "square"
EOT = "eot"  # expects over draws of the encoding
ONE_STEP = ("noise", "fgsm", "rfgsm")  # methods whose number of steps is what it is


@dataclass(frozen=True)
class Member:
    """An attack of a suite.

    Attributes:
        attack: its strength counts for nothing.
        way: to its gradient; None: the one that was asked for.
        source: SHA-256 of the checkpoint on which its images are made; None: of the victim itself.
    """

    attack: Attack
    way: Way | None = None
    source: str | None = None

    @property
    def follows_gradient(self) -> bool:
        """Whether it sees the victim's own gradient."""
        return self.source is None and self.attack.method not in ("noise", "square")

    @property
    def iterative(self) -> bool:
        """Whether it follows that in many steps."""
        return self.follows_gradient and self.attack.method not in ONE_STEP


SUITES: dict[str, dict[str, Member]] = {
    "quick": {
        NOISE: Member(Attack("noise", 0)),
        SINGLE: Member(Attack("fgsm", 0)),
        "pgd": Member(Attack("pgd", 0, steps=10)),
        STRONGEST: Member(Attack("apgd", 0, steps=20)),
        "dlr": Member(Attack("dlr", 0, steps=20)),
        "sapgd": Member(Attack("sapgd", 0, steps=100), Way(surrogate="assg")),
        BLACK_BOX: Member(Attack("square", 0, steps=100)),
    },
    "reliable": {
        NOISE: Member(Attack("noise", 0)),
        SINGLE: Member(Attack("fgsm", 0)),
        "rfgsm": Member(Attack("rfgsm", 0, restarts=10)),
        "pgd": Member(Attack("pgd", 0, steps=50, restarts=5)),
        STRONGEST: Member(Attack("apgd", 0, steps=100)),
        "dlr": Member(Attack("dlr", 0, steps=100)),
        "nearest": Member(Attack("nearest", 0, steps=50, restarts=4)),
        "sapgd": Member(Attack("sapgd", 0, steps=100), Way(surrogate="assg")),
        "pdsg": Member(Attack("apgd", 0, steps=50), Way(surrogate="pdsg")),
        "rate": Member(Attack("apgd", 0, steps=50), Way("rate")),
        "rga": Member(Attack("apgd", 0, steps=50), Way("rga")),
        BLACK_BOX: Member(Attack("square", 0, steps=1000)),
    },
}


@dataclass(frozen=True)
class Choice:
    """Which attacks run, and how.

    Attributes:
        suite: "quick" or "reliable".
        way: to the gradient, of members that have none of their own.
        only: of the suite's members only these run; none: all.
        steps: along a gradient, of members that take several; None: as the suite has them.
        queries: of Square; None: likewise.
        draws: of a random encoding, over which one more member expects; 0: none does.
        transfers: SHA-256 of other checkpoints; images that are made on each are shown as well.

    Raises:
        InputError: there is no such suite or member, or a number is out of range.
    """

    suite: str
    way: Way = TRAINED
    only: tuple[str, ...] = ()
    steps: int | None = None
    queries: int | None = None
    draws: int = 0
    transfers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("unknown suite", self.suite, SUITES)
        for what, number in (("steps", self.steps), ("queries", self.queries)):
            if number is not None:
                check_range(what, number, 1, MAX_STEPS)
        check_range("draws", self.draws, 0, MAX_DRAWS)
        for name in self.only:
            check_choice("unknown attack", name, SUITES[self.suite])
        if len(set(self.only)) < len(self.only):
            raise InputError(f"attacks {', '.join(self.only)}: one of them is there twice")

    def members(self) -> dict[str, Member]:
        """Those that run, by name, each with its way."""
        return {
            name: replace(_resting(self._sized(member)), way=self._way(member))
            for name, member in self._all()
            if name in self.only or not self.only or name not in SUITES[self.suite]
        }

    @property
    def times(self) -> int:
        """For how many times its steps a member runs the network, at most."""
        ways = [member.way for member in self.members().values()]
        return max([1, *(way.times for way in ways if way is not None)])

    def _all(self) -> Iterator[tuple[str, Member]]:
        suite = SUITES[self.suite]
        strongest = suite[STRONGEST]
        yield from suite.items()
        if self.draws:
            yield EOT, replace(strongest, way=replace(self.way, draws=self.draws))
        for number, source in enumerate(self.transfers, 1):
            yield f"{TRANSFER}{number}", replace(strongest, source=source)

    def _way(self, member: Member) -> Way:
        if member.way is None:
            return self.way
        return replace(member.way, pixels=self.way.pixels, batch=self.way.batch)

    def _sized(self, member: Member) -> Member:
        method = member.attack.method
        if method in ONE_STEP:
            return member
        asked = self.queries if method == "square" else self.steps
        steps = member.attack.steps if asked is None else asked
        return replace(member, attack=replace(member.attack, steps=steps))


def _resting(member: Member) -> Member:
    """One that is done with an image as soon as it fools the network.

    Not one whose images are for another network than it sees, or for another draw of the encoding.
    """
    elsewhere = member.source is not None or (member.way is not None and member.way.draws > 0)
    return replace(member, attack=replace(member.attack, until_fooled=not elsewhere))


def at_the_largest(choice: Choice, seed: int) -> Member:
    """The attack that must leave nothing right at strength 255."""
    strongest = SUITES[choice.suite][STRONGEST]
    return _resting(Member(replace(strongest.attack, eps=LARGEST, seed=seed), choice.way))
