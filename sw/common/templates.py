"""Documents from Jinja's templates. HTML is escaped; Markdown, made of our own words, is not."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@cache
def environment(package: str, folder: str = "templates") -> Environment:
    """The templates of a package, in this folder of it; one that lacks a value is an error."""
    found = Environment(
        loader=PackageLoader(package, folder),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"row": row, "rule": rule}
    return found


def markdown(templates: Environment, name: str, **values: Any) -> str:
    """A Markdown document: no empty lines at its end."""
    return templates.get_template(name).render(values).rstrip() + "\n"


def row(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join(cells) + " |"


def rule(head: Sequence[str]) -> str:
    """What stands below a table's head."""
    return "|" + " --- |" * len(head)
