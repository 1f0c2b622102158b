"""The words of a case file: numbers, lists of axons, places; and errors that name a line."""

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from hw.formats import Format
from hw.spec import CORNERS, FANOUT
from sw.common.checks import shown
from sw.common.errors import InputError

NUMBER = re.compile(r"-?[0-9]{1,10}|0x[0-9a-f]{1,16}")
RANGE = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
BOX = re.compile(r"([0-7]),([0-7])(?:-([0-7]),([0-7]))?")


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers, runs of them as FIRST-LAST: "3 5-9"."""
    array = np.fromiter(numbers, np.int64)
    cuts = np.flatnonzero(np.diff(array) != 1) + 1
    runs = ((part[0], part[-1]) for part in np.split(array, cuts) if len(part))
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


def box_words(word: int, form: Format) -> str:
    """The rectangle of cores in a flit or a destination: "1,0", or "0,0-1,1" for several."""
    x0, y0, x1, y1 = (int(form.get(word, name)) for name in CORNERS)
    return f"{x0},{y0}" if (x0, y0) == (x1, y1) else f"{x0},{y0}-{x1},{y1}"


def destination_words(word: int) -> str:
    """A FANOUT word; one to the host may have an address as well, which means nothing."""
    page = int(FANOUT.get(word, "page"))
    address = f"axon {FANOUT.get(word, 'axon')}{f' page {page}' if page else ''}"
    address += f" of {box_words(word, FANOUT)}"
    if not FANOUT.get(word, "host"):
        return address
    return "host" if word == FANOUT.pack(host=1) else f"host with {address}"


class Line:
    """A line of a case file, read word by word. Everything raises `InputError` with its number."""

    def __init__(self, name: str, number: int, text: str) -> None:
        self._name, self._number = name, number
        self._words: Sequence[str] = text.split()
        self._place = 0

    def fail(self, sentence: str) -> NoReturn:
        raise InputError(f"{self._name}, line {self._number}: {sentence}")

    @property
    def next(self) -> str:
        """The next word, which stays; "" at the end."""
        return self._words[self._place] if self._place < len(self._words) else ""

    def word(self, what: str) -> str:
        """The next word."""
        found = self.next
        if not found:
            self.fail(f"{what} is missing at its end")
        self._place += 1
        return found

    def expect(self, *wanted: str) -> None:
        """The next words must be these."""
        for word in wanted:
            found = self.word(f"`{word}`")
            if found != word:
                self.fail(f"{shown(found)} stands where `{word}` must stand")

    def skip(self, wanted: str) -> bool:
        """Whether the next word is this one, which is then read."""
        found = self.next == wanted
        self._place += found
        return found

    def number(self, what: str, least: int, most: int) -> int:
        word = self.word(what)
        if not NUMBER.fullmatch(word) or not least <= int(word, 0 if "x" in word else 10) <= most:
            self.fail(f"{what} is {shown(word)}, must be a whole number from {least} to {most}")
        return int(word, 0 if "x" in word else 10)

    def numbers(self, what: str, end: int) -> NDArray[np.int64]:
        """Ascending numbers below `end`, written as `ranges` does; there is at least one."""
        parts = [self.range(what, end)]
        while RANGE.fullmatch(self.next):
            first, last = self.range(what, end)
            if first <= parts[-1][1]:
                self.fail(f"{what} {first} does not come after {parts[-1][1]}")
            parts.append((first, last))
        return np.concatenate([np.arange(first, last + 1) for first, last in parts])

    def range(self, what: str, end: int) -> tuple[int, int]:
        """FIRST-LAST, or one number that is both."""
        word = self.word(what)
        found = RANGE.fullmatch(word)
        if found is None:
            self.fail(f"{what} is {shown(word)}, must be a number or FIRST-LAST")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last < end:
            self.fail(f"{what} is {word}, must lie within 0 to {end - 1}, the first one first")
        return first, last

    def box(self) -> dict[str, int]:
        """A rectangle's corners, by name; whether it lies on the chip is not asked."""
        word = self.word("a core or a rectangle of cores")
        found = BOX.fullmatch(word)
        if found is None:
            self.fail(f"{shown(word)} is no core and no rectangle, such as 1,0 or 0,0-1,1")
        x0, y0, x1, y1 = found.groups()
        return dict(zip(CORNERS, map(int, (x0, y0, x1 or x0, y1 or y0)), strict=True))

    def destination(self) -> int:
        """A FANOUT word."""
        host = self.skip("host")
        if host and not self.skip("with"):
            return int(FANOUT.pack(host=1))
        self.expect("axon")
        axon = self.number("axon", 0, FANOUT.fields["axon"].mask)
        page = self.number("page", 0, FANOUT.fields["page"].mask) if self.skip("page") else 0
        self.expect("of")
        return int(FANOUT.pack(axon=axon, page=page, host=int(host), **self.box()))

    def end(self) -> None:
        """There must be no more words."""
        if self.next:
            self.fail(f"{shown(self.next)} is one word too many")
