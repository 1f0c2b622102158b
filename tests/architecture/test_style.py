"""`make lint` as tests, so that one command, `make test`, holds everything that CI asks for."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.lint
@pytest.mark.parametrize(
    "tool", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_style(tool: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name(tool[0])
    done = subprocess.run(
        [str(program), *tool[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
