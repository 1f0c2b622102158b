"""Exit codes: 1 is for RTL that differs, 2 for the machine and the user, 3 for our own faults."""

import errno
import os
import subprocess
import sys
import tempfile
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
import torch
import typer

from cosim.cli import guard, streams
from cosim.mapping import choose
from cosim.program.errors import Mismatch, SimulationError
from sw.common.errors import InputError
from sw.jobs.workers import WorkerDied
from tests.support.cli import nc64c

CLI = [sys.executable, "-m", "nc64c"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's temporary folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nc64c map` meets this error."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(choose, "choose_mapping", fail)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Mismatch("the RTL hangs: it did not come to rest"), 1, "the RTL hangs"),
        (InputError("bad"), 2, "bad"),
        (SimulationError("the simulator ended early"), 2, "the simulator ended early"),
        (WorkerDied("a worker process ended"), 2, "a worker process ended"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/f"), 2, "/f: no space left on device"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 2, "disk quota exceeded"),
        (PermissionError(errno.EACCES, "Permission denied", "/f"), 2, "/f: permission denied"),
        (BlockingIOError(errno.EAGAIN, "Resource unavailable"), 2, "resource unavailable"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 2, "broken pipe"),
        (TimeoutError("timed out"), 2, "timed out"),
        (MemoryError(), 2, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: ..."), 2, "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory."), 2, "not enough memory"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "a text has char"),
        (ModuleNotFoundError("No module named 'numpy'"), 2, "install nc64c again"),
        (subprocess.CalledProcessError(3, ["vvp"]), 2, "another process ended early"),
        (BrokenProcessPool("a process was terminated"), 2, "another process ended early"),
        (KeyboardInterrupt(), 130, "Interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_exit_codes(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(error, monkeypatch)
    result = nc64c("map")
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = result.stderr.splitlines()
    assert words in line


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError("x"), AssertionError("x"), RuntimeError("x")], ids=repr
)
def test_a_fault_of_our_own_is_told_from_a_mismatch(
    error: Exception, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    fail_with(error, monkeypatch)
    result = nc64c("map")
    assert (result.exit_code, result.stdout) == (3, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: a fault of nc64c itself: {type(error).__name__}: ")
    (log,) = temporary.iterdir()
    assert line.endswith(f"; please report {log}")
    assert "Traceback" in log.read_text()
    assert "in fail" in log.read_text()


def test_a_traceback_on_demand(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    monkeypatch.setenv(guard.DEBUG, "1")
    fail_with(KeyError("x"), monkeypatch)
    result = nc64c("map")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert list(temporary.iterdir()) == []


def test_a_fault_without_a_place_for_its_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    fail_with(KeyError("x"), monkeypatch)
    result = nc64c("map")
    assert result.exit_code == 3
    assert result.stderr.endswith(f"set {guard.DEBUG}=1 to see where\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("x"), 3),
        (EOFError(), 3),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 2),
        (MemoryError(), 2),
        (Mismatch("they differ"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=repr,
)
def test_errors_outside_of_a_commands_work_have_the_same_exit_codes(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    temporary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where typer calls the command, and where nobody does: as an import fails."""
    monkeypatch.setattr(streams, "harden", lambda: None)
    monkeypatch.setattr(sys, "argv", ["nc64c"])
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise error

    for part in (app, fail):
        assert guard.exit_code_of(part) == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_the_exit_code_of_a_command_is_the_processs(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "harden", lambda: None)
    monkeypatch.setattr(sys, "argv", ["nc64c"])
    app = typer.Typer()

    @app.command()
    def end() -> None:
        raise typer.Exit(code)

    assert guard.exit_code_of(app) == code


@pytest.mark.parametrize("content", ["raise OSError('broken')", "import no_such_module", "def"])
def test_an_installation_that_cannot_be_imported_is_no_difference(
    content: str, tmp_path: Path
) -> None:
    (tmp_path / "typer.py").write_text(content)
    done = subprocess.run(
        [*CLI, "--help"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: the installation is incomplete or damaged, install nc64c again")


def test_pictures_do_not_depend_on_the_users_windows() -> None:
    code = "import nc64c, sys; sys.argv = ['nc64c', '--version']\ntry: nc64c.main()\nfinally: "
    done = subprocess.run(
        [sys.executable, "-c", code + "import matplotlib.figure"],
        env=os.environ | {"MPLBACKEND": "no such thing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_wrong_command_line_is_bad_input() -> None:
    assert nc64c("no-such-command").exit_code == 2
    assert nc64c("map", "--no-such-option").exit_code == 2


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.mark.slow
@full
@pytest.mark.parametrize("arguments", ["map", "--help"])
def test_standard_output_is_full(arguments: str) -> None:
    with Path("/dev/full").open("w") as out:
        done = subprocess.run(
            [*CLI, *arguments.split()], stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr == "Error: cannot write to standard output: no space left on device\n"
    assert done.returncode == 2


@pytest.mark.slow
@full
@pytest.mark.parametrize(("arguments", "code"), [("--help", 0), ("map --mesh 9x9", 2)])
def test_standard_error_is_full(arguments: str, code: int) -> None:
    with Path("/dev/full").open("w") as err:
        done = subprocess.run(
            [*CLI, *arguments.split()], stdout=subprocess.PIPE, stderr=err, check=False
        )
    assert done.returncode == code


def test_a_reader_that_has_gone_changes_no_exit_code() -> None:
    """As `nc64c --help | head -0`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*CLI, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("closing", ["--help >&-", "--help 2>&-", "map >&- 2>&- <&-"])
def test_closed_streams_change_no_exit_code(closing: str) -> None:
    command = f'"{sys.executable}" -m nc64c {closing}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_encoding_without_our_characters() -> None:
    done = subprocess.run(
        [*CLI, "report", "números"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "n\\xfameros" in done.stderr
