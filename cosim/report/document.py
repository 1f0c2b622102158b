"""Documents: their templates, how figures stand in them, and their files of one name."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from cosim.record.record import to_json
from cosim.report.figures import Points
from sw.common.templates import environment
from sw.files import output
from sw.files.atomic import atomic_write


@cache
def templates() -> Environment:
    """The templates of this package; they write figures as is done here."""
    found = environment("cosim.report")
    found.globals |= {"points": points, "number": number, "short": short, "interval": interval}
    return found


def write(
    out: Path, name: str, document: dict[str, Any], text: str, pictures: dict[str, bytes]
) -> None:
    """Writes `name`.json, .md and a picture for each ending. Raises `InputError`."""
    with output.staged(out) as stage:
        files = {"json": to_json(document), "md": text.encode(), **pictures}
        for ending, content in files.items():
            atomic_write(stage / f"{name}.{ending}", content)


def points(value: float, digits: int = 2) -> str:
    """A percentage or a few points, with a real minus sign."""
    return f"{value:,.{digits}f}".replace("-", "\u2212")


def number(value: int) -> str:
    """A whole number, in groups of three digits."""
    return f"{value:,}"


def short(value: int) -> str:
    """A whole number in four characters or so: 950, 12k, 3.4M."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        scaled = value / size
        if scaled >= 0.9995:  # less rounds to at most 999 of the unit below
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return str(value)


def interval(figure: Points) -> str:
    """A figure and its interval."""
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
