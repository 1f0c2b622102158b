"""Tables in Markdown, read as strictly as the strictest reader does."""

import re
from itertools import groupby

CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
BAR = re.compile(r"(?<!\\)\|")
RULE = re.compile(r":?-+:?")
Table = list[list[str]]


def tables(text: str) -> list[Table]:
    """The cells of each table of a document, head first.

    Raises `AssertionError` for one that is not whole: rows with an empty line between, a head
    without its rule, rows of other lengths, or text that touches it.
    """
    lines = CODE.sub("", text).splitlines()
    found, before = [], ""
    for is_row, group in groupby(lines, lambda line: line.startswith("|")):
        block = list(group)
        if is_row:
            assert not before, f"text touches the table: {before!r}, {block[0]!r}"
            found.append(_table(block))
        else:
            assert not (found and block[0]), f"text touches the table: {block[0]!r}"
        before = block[-1]
    return found


def _table(lines: list[str]) -> Table:
    for line in lines:
        assert line.endswith("|"), f"a row without an end: {line!r}"
    head, *rows = ([cell.strip() for cell in BAR.split(line)[1:-1]] for line in lines)
    assert len(rows) >= 2, f"a table of {len(lines)} lines: {lines[0]!r}"
    rule, *body = rows
    assert all(map(RULE.fullmatch, rule)), f"no rule below {lines[0]!r}"
    for cells in rows:
        assert len(cells) == len(head), f"{len(cells)} cells below {lines[0]!r}: {cells}"
    return [head, *body]
