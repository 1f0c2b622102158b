"""Words made of named bit fields: how flits and SRAM words are packed and read."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """A bit field of a word: `width` bits from bit `offset` up."""

    name: str
    offset: int
    width: int

    @property
    def mask(self) -> int:
        return (1 << self.width) - 1


class Format:
    """A word made of named bit fields, least significant first."""

    def __init__(self, name: str, **widths: int) -> None:
        self.name = name
        self.fields: dict[str, Field] = {}
        offset = 0
        for field, width in widths.items():
            self.fields[field] = Field(field, offset, width)
            offset += width
        self.width = offset

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields.values())

    def pack(self, **values: Any) -> Any:
        """The word with these field values; fields left out are 0.

        Values are whole numbers (Python's or numpy's), or numpy arrays of whole numbers of any
        type: the word is an int, or an array of unsigned 64-bit numbers. Raises `ValueError` for a
        value that is negative or too large, since a cut address would land in another core's
        memory, and `TypeError` for one that is no whole number.
        """
        word: Any = 0
        for name, value in values.items():
            word = word | (self._fitting(self.fields[name], value) << self.fields[name].offset)
        return word

    def _fitting(self, field: Field, value: Any) -> Any:
        """`value` as an int or an array of unsigned 64-bit numbers, once it is known to fit."""
        array = getattr(value, "ndim", 0) > 0
        if array:
            if value.dtype.kind not in "biu":
                raise TypeError(f"{self.name}.{field.name}: {value.dtype} is no whole number")
            ends = [int(value.min()), int(value.max())] if value.size else []
        else:
            ends = [operator.index(value)]
        for end in ends:
            if not 0 <= end <= field.mask:
                raise ValueError(
                    f"{self.name}.{field.name} = {end} does not fit {field.width} bits"
                )
        return value.astype("uint64") if array else ends[0]

    def get(self, word: Any, name: str) -> Any:
        """One field of a word (int or unsigned 64-bit numpy array), as an unsigned number."""
        field = self.fields[name]
        return (word >> field.offset) & field.mask
