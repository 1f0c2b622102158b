"""The window of a convolution of an integer layer: a `Geometry` for rows and one for columns."""

from dataclasses import dataclass
from typing import Self

from sw.common.checks import MAX_FEATURES, Shape, check_range
from sw.common.errors import InputError
from sw.model.geometry import Geometry

NUMBERS = ("kernel", "stride", "padding")


@dataclass(frozen=True)
class Window:
    """How a convolution moves over the rows and the columns of its inputs.

    Dilation and groups need no number here: a weight of 0 is no synapse.
    """

    rows: Geometry
    columns: Geometry

    @classmethod
    def of(cls, where: str, numbers: object) -> Self:
        """From [kernel, stride, padding] of the rows, then of the columns, as a file has them.

        Raises `InputError`, which begins with `where`, for any other value.
        """
        if not isinstance(numbers, list | tuple) or len(numbers) != 2 * len(NUMBERS):
            raise InputError(f"{where}: a window must be {', '.join(NUMBERS)} of rows and columns")
        for name, number in zip(NUMBERS * 2, numbers, strict=True):
            check_range(f"{where}: {name}", number, 0, MAX_FEATURES)
        try:
            return cls(Geometry(*numbers[:3]), Geometry(*numbers[3:]))
        except ValueError as error:
            raise InputError(f"{where}: {error}") from error

    @property
    def numbers(self) -> tuple[int, ...]:
        """What `of` takes."""
        return tuple(getattr(way, name) for way in (self.rows, self.columns) for name in NUMBERS)

    def fan_in(self, inputs: Shape) -> tuple[int, int, int]:
        """Shape of the weights of one output channel, for inputs C, H, W."""
        return inputs[0], self.rows.kernel, self.columns.kernel

    def output_shape(self, features: int, inputs: Shape) -> Shape:
        """C, H, W of what a convolution makes of inputs C, H, W."""
        return features, self.rows.output(inputs[1]), self.columns.output(inputs[2])
