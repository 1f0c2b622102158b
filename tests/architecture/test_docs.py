"""The documents: what they link to and name is there, their commands exist, their Python runs."""

import re
from pathlib import Path

import pytest
import typer

from cosim.cli.app import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:hw|sw|cosim|tests|docs|scripts)/[\w./-]+)`")
COMMAND = re.compile(r"nc64c ([a-z0-9]+)((?: [^`\n]*)?)")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_linked_and_named_is_there(name: str) -> None:
    path = ROOT / name
    text = path.read_text()
    for target in LINK.findall(text):
        assert target.startswith("http") or (path.parent / target).exists(), target
    for target in NAMED.findall(text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_and_their_options_exist(name: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for line in re.findall(r"`([^`\n]+)`|^    (.+)$", (ROOT / name).read_text(), re.MULTILINE):
        text = "".join(line)
        for command, rest in COMMAND.findall(text):
            if command not in commands:
                assert not re.match(r"(\.venv/bin/)?nc64c ", text), f"{name}: nc64c {command}"
                continue
            known = options_of(commands[command])
            for option in re.findall(r"--[a-z][a-z-]*", rest):
                assert option in known, f"{name}: nc64c {command} {option}"


def options_of(command: object) -> set[str]:
    """All options of a command, and of those below it."""
    parameters = getattr(command, "params", [])
    found = {option for each in parameters for option in (*each.opts, *each.secondary_opts)}
    for below in getattr(command, "commands", {}).values():
        found |= options_of(below)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_python_in_them_compiles(name: str) -> None:
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)
    ):
        compile(code, f"{name}, block {number}", "exec")


@pytest.mark.slow
def test_the_example_of_the_api_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of the page, one after the other; it has assertions of its own."""
    text = (ROOT / "docs/api.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert "assert both.comparison.equal" in "".join(blocks)
    monkeypatch.chdir(ROOT)
    exec(compile("".join(blocks), "docs/api.md", "exec"), {})


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 110
