"""Checks JSON from outside against the `TypedDict` that describes it."""

import types
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict


def misfit(value: Any, hint: Any, where: str) -> str | None:
    """Path of the first part of a JSON value that is not of the hinted type; None if all fits."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return None
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        if not isinstance(value, dict) or set(value) != set(hints):
            return where
        parts = [(value[key], part, f"{where}.{key}") for key, part in hints.items()]
    elif origin is dict:
        if not isinstance(value, dict):
            return where
        parts = [(part, arguments[1], f"{where}.{key}") for key, part in value.items()]
    elif origin is list:
        if not isinstance(value, list):
            return where
        parts = [(part, arguments[0], f"{where}[{n}]") for n, part in enumerate(value)]
    elif origin is Literal:
        return None if value in arguments else where
    elif origin is types.UnionType:
        return None if any(misfit(value, choice, where) is None for choice in arguments) else where
    else:
        accepted = (int, float) if hint is float else hint
        right = isinstance(value, accepted) and not (isinstance(value, bool) and hint is not bool)
        return None if right else where
    return next(filter(None, (misfit(*part) for part in parts)), None)
