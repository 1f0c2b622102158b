"""JSON from outside as typed structures: msgspec checks it, here its errors get a full place."""

import re
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")
MAX_LENGTH = 200  # characters of what is said of an error
PLACE = re.compile(r" - at (?:`key` in )?`(\$[^`]*)`$")
STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")


class Misfit(ValueError):
    """Where JSON is not as it must be, such as `$.labels[3] (expected int, got str)`."""


def typed(content: Any, kind: type[Kind]) -> Kind:
    """JSON, as Python has it, as a structure of msgspec's. Raises `Misfit`.

    `content` is no longer of use after an error.
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise Misfit(_described(content, kind, str(error))) from error
    except RecursionError as error:
        raise Misfit("$ (expected fewer levels of nesting)") from error


def plain(structure: Any) -> Any:
    """A structure as JSON has it: dicts, lists, numbers and text."""
    return msgspec.to_builtins(structure)


def _described(content: Any, kind: type[Any], message: str) -> str:
    """An error of msgspec's: the place, and in brackets what is wrong there."""
    found = PLACE.search(message)
    place = _full(content, kind, found[1], message) if found else "$"
    what = (message[: found.start()] if found else message).replace("`", "")
    text = f"{place} ({what[:1].lower()}{what[1:]})"
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= MAX_LENGTH else f"{shown[:MAX_LENGTH]}..."


def _full(content: Any, kind: type[Any], path: str, message: str) -> str:
    """A path of msgspec's, with the keys of dicts where it writes `[...]`."""
    part, full = content, "$"
    try:
        for step in STEP.finditer(path):
            name, number = step.groups()
            if number is not None:
                part, full = part[int(number)], f"{full}[{number}]"
            else:
                name = _culprit(content, kind, part, message) if name is None else name
                part, full = part[name], f"{full}.{name}"
    except (LookupError, TypeError, AttributeError):  # a name in the file looks like a path
        return path
    return full


def _culprit(content: Any, kind: type[Any], part: dict[str, Any], message: str) -> str:
    """The key that an error is about, found by halves; `part` of `content` keeps it alone."""
    entries = list(part.items())
    while len(entries) > 1:
        half = len(entries) // 2
        part.clear()
        part.update(entries[:half])
        entries = entries[:half] if _error(content, kind) == message else entries[half:]
    part.clear()
    part.update(entries)
    return entries[0][0]


def _error(content: Any, kind: type[Any]) -> str | None:
    try:
        msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return None
