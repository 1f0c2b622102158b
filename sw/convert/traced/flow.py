"""What a tensor of a traced model stands for: the input, sums of spikes, or something else.

`Flow` is a sum of linear maps of spikes, which a layer of neurons, or the output, can be given.
"""

from collections.abc import Callable
from functools import cached_property

from sw.convert import linear_map
from sw.convert.linear_map import LinearMap

Maps = dict[str, LinearMap]  # by source


class Raw:
    """The network's input, before anything that has weights."""


class Other:
    """What is neither: `why` says what made it."""

    def __init__(self, why: str) -> None:
        self.why = why


class Flow:
    """Linear maps of spikes, added; made of `parents` when they are first asked for.

    `used` says whether a layer takes it.
    """

    def __init__(self, make: Callable[[], Maps], *parents: "Flow") -> None:
        self._make, self._parents = make, parents
        self.used = False

    @property
    def above(self) -> set["Flow"]:
        """All flows that it is made of."""
        return {*self._parents, *(far for parent in self._parents for far in parent.above)}

    @cached_property
    def maps(self) -> Maps:
        """By source."""
        return self._make()

    def use(self) -> Maps:
        """The maps, for a layer that takes them."""
        self.used = True
        for parent in self._parents:
            parent.use()
        return self.maps


Value = Raw | Flow | Other


def added(where: str, one: Flow, other: Flow) -> Flow:
    """The sum of two."""

    def make() -> Maps:
        found = dict(one.maps)
        for source, each in other.maps.items():
            mine = found.get(source)
            found[source] = each if mine is None else linear_map.added(where, [mine, each])
        return found

    return Flow(make, one, other)


def once(maps: Maps, change: Callable[[LinearMap, bool], LinearMap]) -> Maps:
    """A linear change of each map; its second argument says whether a bias is to be added.

    That is so for the first source only, as a bias is added once.
    """
    return {source: change(each, not at) for at, (source, each) in enumerate(maps.items())}
