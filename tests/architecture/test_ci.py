"""The workflows for CI are valid, what they call is there, and they do what the page promises."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cosim.cli.app import app
from tests.support.cli import options_of

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / "docs" / "ci").glob("*.yml"))
SYSTEM = {"apt-get", "sudo", "python", "if", "[", "]", "then", "fi", "timeout"}


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> Any:
    return yaml.safe_load(request.param.read_text())


def test_there_are_two() -> None:
    assert [path.stem for path in WORKFLOWS] == ["github", "gitlab"]


def lines_of(workflow: Any) -> Iterator[str]:
    """Every line of shell in a workflow."""
    if "jobs" in workflow:
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "run" in step or "uses" in step, step
                yield from step.get("run", "").splitlines()
    else:
        for name, job in workflow.items():
            if name not in ("default", "variables"):
                yield from (*job["before_script"], *job["script"])


def test_every_command_is_known(workflow: Any) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = list(lines_of(workflow))
    assert lines
    for line in lines:
        words = line.replace(";", " ").split()
        for number, word in enumerate(words):
            if word == "make":
                assert words[number + 1] in targets, line
            elif word.endswith("nc64c"):
                assert words[number + 1] in commands, line
                known = options_of(commands[words[number + 1]])
                assert set(re.findall(r"--[a-z][a-z-]*", line)) <= known, line
        first = words[0]
        assert first in SYSTEM or first == "make" or first.startswith(".venv/bin/"), line


def test_they_do_what_the_page_promises(workflow: Any) -> None:
    text = "\n".join(lines_of(workflow))
    for wanted in (
        "pip install",
        "make lint",
        "make test",
        "make bench-check",
        "nc64c cosim",
        "nc64c check",
        "nc64c verify",
        "nc64c fuzz",
        "--minutes 10",
        "--junit",
    ):
        assert wanted in text, wanted
    whole = yaml.safe_dump(workflow)
    assert re.search("timeout 15m .*nc64c verify", text) or "timeout-minutes: 15" in whole
    for wanted in ("report.html", "mismatch/", "out/*.xml"):
        assert wanted in whole, wanted
