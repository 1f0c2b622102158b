"""The documents: what they link to and name is there, their commands exist, their Python runs."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cosim.cli.app import app
from tests.support.cli import options_of
from tests.support.markdown import tables

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:hw|sw|cosim|tests|docs|scripts|checkpoints)/[\w./-]+)`")
DOTTED = re.compile(r"`((?:hw|sw|cosim)(?:\.\w+)+)`")
COMMAND = re.compile(r"nc64c ([a-z0-9]+)((?: [^`\n]*)?)")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_linked_and_named_is_there(name: str) -> None:
    path = ROOT / name
    text = path.read_text()
    for target in LINK.findall(text):
        assert target.startswith("http") or (path.parent / target).exists(), target
    for target in NAMED.findall(text):
        assert (ROOT / target).exists(), target
    for target in DOTTED.findall(text):
        assert is_module(target) or is_module(target.rpartition(".")[0]), target
        if not is_module(target):
            module, _, thing = target.rpartition(".")
            assert defines(ROOT / f"{module.replace('.', '/')}.py", thing), target


@pytest.mark.parametrize("name", DOCUMENTS)
def test_tables_are_whole(name: str) -> None:
    tables((ROOT / name).read_text())


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def defines(path: Path, name: str) -> bool:
    """Whether a file has this function, class, method (Class.method), name or assignment."""
    text = path.read_text()
    return all(
        re.search(rf"\b(?:def|class) {part}\b|\b{part}\b(?:: [^=\n]+)? = ", text)
        for part in name.split(".")
    )


def walks() -> Iterator[tuple[str, str, str]]:
    """Walk, file and what to look for there, of each row in docs/architecture.md."""
    text = (ROOT / "docs/architecture.md").read_text().partition("## Walks\n")[2]
    walk = ""
    for line in text.splitlines():
        walk = line if line and not line.startswith("|") else walk
        if row := re.fullmatch(r"\| `([\w/.]+)` \| (.+) \|", line):
            yield walk, row[1], row[2]


def test_the_walks_lead_to_what_they_name() -> None:
    files: dict[str, list[str]] = {}
    for walk, path, words in walks():
        files.setdefault(walk, []).append(path)
        found = [name for name in re.findall(r"`([\w.]+)`", words) if defines(ROOT / path, name)]
        assert found, f"{path}: {words}"
        for name in re.findall(r"`([\w.]+)`(?=:|, which|, called|,? and `)", words):
            assert defines(ROOT / path, name), f"{path} has no {name}"
    assert len(files) >= 6
    assert max(map(len, files.values())) <= 4, files


def test_the_layers_are_those_of_the_contracts() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    drawn = re.findall(r"^```\n((?:(?:cosim|sw|hw)\.[\w.| ]+\n)+)```", text, re.MULTILINE)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    assert [block.splitlines() for block in drawn] == layers


def test_every_command_is_described() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    for command in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"`nc64c {command}" in text, command


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_and_their_options_exist(name: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    whole = re.sub(r"\\\n *", "", (ROOT / name).read_text())  # lines that go on in the next one
    for line in re.findall(r"`([^`\n]+)`|^    (.+)$", whole, re.MULTILINE):
        text = "".join(line)
        for command, rest in COMMAND.findall(text):
            if command not in commands:
                assert not re.match(r"(\.venv/bin/)?nc64c ", text), f"{name}: nc64c {command}"
                continue
            known = options_of(commands[command])
            for option in re.findall(r"--[a-z][a-z-]*", rest):
                assert option in known, f"{name}: nc64c {command} {option}"


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
