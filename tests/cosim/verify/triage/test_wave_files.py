"""What viewers are told to show is in the wave file, under a name that they do not shorten."""

import io
import re

import pytest

from cosim.verify.triage.waves import files
from cosim.verify.triage.waves.lanes import Lanes

pytest.importorskip("vcd", reason="pyvcd is not installed")

NAMES = files.names_of([3, 5], "soma.membranes[7]")


@pytest.fixture(scope="module")
def variables() -> set[str]:
    """The full names of all variables of the wave file."""
    from vcd.reader import TokenKind, tokenize

    lanes = Lanes({name: {500: 1} for name in NAMES})
    scopes: list[str] = []
    found: set[str] = set()
    for token in tokenize(io.BytesIO(files.vcd(lanes, lanes, NAMES, 544))):
        if token.kind is TokenKind.SCOPE:
            scopes.append(token.scope.ident)
        elif token.kind is TokenKind.UPSCOPE:
            scopes.pop()
        elif token.kind is TokenKind.VAR:
            found.add(".".join([*scopes, token.var.reference]))
    return found


def test_gtkwave_shows_each_signal_of_both_chips(variables: set[str]) -> None:
    """GTKWave shows what stands behind the last dot of a name, so an alias has none."""
    save = files.gtkw("golden.vcd", NAMES, (496, 592), 544).decode()
    aliased = re.findall(r"^\+\{([^}]*)\} ([\w.]+)(?:\[\d+:0\])?$", save, re.MULTILINE)
    assert [alias for alias, _ in aliased] == ["rtl", "golden"] * len(NAMES)
    assert {signal for _, signal in aliased} | {"mismatch.first_divergence"} == variables
    assert [line[1:] for line in save.splitlines() if line.startswith("-")] == NAMES


def test_surfer_shows_the_same(variables: set[str]) -> None:
    commands = files.surfer("golden.vcd", NAMES, (496, 592), 544).decode().splitlines()
    assert commands[0] == "load_file golden.vcd"
    assert {line.split()[1] for line in commands if line.startswith("variable_add ")} == variables
