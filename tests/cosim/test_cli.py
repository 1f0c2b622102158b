"""The command line: exit codes, one sentence for what the user can put right, nothing half-written.

The RTL is replaced here (`test_cli_rtl.py` has the real one).
"""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open
from typer.testing import CliRunner, Result

from cosim import record, tasks
from cosim.cli import app
from cosim.progress import Progress
from hw.spec import ChipShape
from sw import checkpoint
from sw.train import TrainSettings
from tests.helpers.runs import make_run
from tests.helpers.subjects import CONFIG, FakeRtl, Responses, make_networks

SMALL_CHIP = ["--mesh", "3x2", "--axons", "256", "--dendrites", "256"]
COMMANDS = ("demo", "cosim", "report", "map", "attack", "train", "verilog")


def nc64c(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkpoint of an untrained network that fits the small chip."""
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, make_networks(), TrainSettings())
    return path


@pytest.fixture
def fake_rtl(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeRtl], None]:
    def put(rtl: FakeRtl) -> None:
        monkeypatch.setattr(tasks, "verilated", lambda *_: (rtl, 0.0))

    return put


def refused(result: Result, *words: str) -> None:
    """One sentence with these words on stderr, nothing on stdout, exit code 2."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


# ---------------------------------------------------------------- help
def test_help_lists_all_commands() -> None:
    result = nc64c("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str) -> None:
    result = nc64c(command, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?: nc64c {command}\b", result.stdout)


def test_help_needs_no_torch() -> None:
    code = "import sys; from cosim import cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---------------------------------------------------------------- runs
def test_equal_chips(small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]) -> None:
    fake_rtl(FakeRtl())
    out = tmp_path / "new" / "out"
    result = nc64c("cosim", "--checkpoint", small, "--out", out, "--images", "3", *SMALL_CHIP)
    assert result.exit_code == 0, result.output
    assert "RTL equals golden" in result.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "report.html",
        "run.json",
        "summary.json",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["images"] == 3
    assert list(summary["sets"]) == ["clean", "fgsm_2", "fgsm_8", "fgsm_16"]
    assert record.load(out)["facts"]["checkpoint"].startswith(str(small))


def lose_a_spike(responses: Responses) -> None:
    phase = next(n for n, flits in enumerate(responses[1]) if len(flits))
    responses[1][phase] = responses[1][phase][1:]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_mismatch_is_exit_code_1_and_named(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None], quiet: list[str]
) -> None:
    fake_rtl(FakeRtl(lose_a_spike))
    out = tmp_path / "out"
    arguments = ["--checkpoint", small, "--out", out, "--images", "3", "--sets", "clean"]
    result = nc64c("cosim", *arguments, *SMALL_CHIP, *quiet)
    assert result.exit_code == 1
    assert "RTL differs from golden: 1 spikes and 0 membranes" in result.stderr
    assert re.search(
        r"first in clean: image 1, tick \d, core \(\d, \d\), neuron \d+", result.stderr
    )
    assert (out / "report.html").exists()


def test_same_seed_same_summary(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    fake_rtl(FakeRtl())
    summaries = []
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        arguments = ["--out", tmp_path / name, "--seed", seed, "--images", "9", *SMALL_CHIP]
        assert nc64c("cosim", "--checkpoint", small, *arguments).exit_code == 0
        summaries.append((tmp_path / name / "summary.json").read_text())
    assert summaries[0] == summaries[1]
    assert summaries[0] != summaries[2]


def test_report_renders_again(tmp_path: Path) -> None:
    record.save(tmp_path, make_run())
    result = nc64c("report", tmp_path)
    assert result.exit_code == 0, result.output
    assert "RTL equals golden" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "summary.json").read_text())["images"] == 200


def test_report_of_a_mismatch_is_exit_code_1(tmp_path: Path) -> None:
    run = make_run()
    run["sets"]["clean"]["mismatched_membranes"] = 1
    record.save(tmp_path, run)
    assert nc64c("report", tmp_path).exit_code == 1


def test_map_shows_use_per_layer(small: Path) -> None:
    result = nc64c("map", "--checkpoint", small, *SMALL_CHIP)
    assert result.exit_code == 0, result.output
    for word in ("conv2", "fc1", "fc2", "total", "cores", "neurons", "dendrites", "axons"):
        assert word in result.stdout


def test_attack_writes_sets_within_eps(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "sets.safetensors"
    arguments = ["--images", "6", "--sets", "clean,fgsm_8", "--out", out]
    result = nc64c("attack", "--checkpoint", small, *arguments)
    assert result.exit_code == 0, result.output
    with safe_open(out, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    clean, attacked = arrays["clean.images"].astype(int), arrays["fgsm_8.images"].astype(int)
    assert clean.shape == (6, 1, 8, 8)
    assert np.abs(clean - attacked).max() == 8
    assert arrays["labels"].shape == arrays["fgsm_8.predictions"].shape == (6,)


def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training of the small network, two epochs."""
    monkeypatch.setattr(tasks, "NETWORKS", {"digits": CONFIG})
    settings = partial(TrainSettings, epochs=1, quantised_epochs=1)
    monkeypatch.setattr(tasks, "TrainSettings", settings)


def test_train_again_gives_the_same_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_training(monkeypatch)
    contents = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        result = nc64c("train", "--seed", seed, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert "accuracy on held-out images is float" in result.stdout
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    assert checkpoint.load(tmp_path / "a").settings.seed == 3


@pytest.mark.parametrize("total", [1, 7, 110])
def test_work_done_adds_up(total: int) -> None:
    assert sum(tasks.share(1000, step, total) for step in range(1, total + 1)) == 1000


# ---------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "0"], ["0 images", "1 to 450"]),
        (["--images", "-3"], ["-3 images", "1 to 450"]),
        (["--images", "451"], ["451 images", "1 to 450"]),
        (["--sets", "clean,pgd_8"], ["unknown set 'pgd_8'"]),
        (["--sets", "fgsm_0"], ["unknown set 'fgsm_0'"]),
        (["--sets", "fgsm_256"], ["unknown set 'fgsm_256'"]),
        (["--sets", ""], ["unknown set ''"]),
        (["--sets", "clean,clean"], ["there twice"]),
        (["--mesh", "8"], ["mesh '8'", "such as 8x8"]),
        (["--mesh", "9x8"], ["chip columns = 9"]),
        (["--axons", "100"], ["chip axons = 100"]),
        (["--mesh", "1x1"], ["layer", "cores"]),
        (["--checkpoint", "missing.safetensors"], ["missing.safetensors", "no such file"]),
    ],
)
def test_bad_arguments(small: Path, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    out = tmp_path / "out"
    result = nc64c("cosim", "--checkpoint", small, "--out", out, *SMALL_CHIP, *arguments)
    refused(result, *words)
    assert not out.exists()


def foreign(path: Path) -> None:
    path.write_bytes(safetensors.numpy.save({"weights": np.zeros(3)}))


def no_safetensors(path: Path) -> None:
    path.write_text("not a checkpoint")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def with_nan(path: Path) -> None:
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    name = next(name for name in arrays if name.endswith("weight"))
    arrays[name].flat[0] = np.nan
    path.write_bytes(safetensors.numpy.save(arrays, metadata))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (foreign, ["is not a checkpoint"]),
        (no_safetensors, ["is not a checkpoint"]),
        (truncated, ["is truncated"]),
        (with_nan, ["NaN"]),
    ],
)
@pytest.mark.parametrize("command", ["cosim", "attack", "map"])
def test_bad_checkpoints(
    small: Path, tmp_path: Path, command: str, spoil: Callable[[Path], None], words: list[str]
) -> None:
    spoil(small)
    out = tmp_path / "out"
    where = [] if command == "map" else ["--out", out]
    refused(nc64c(command, "--checkpoint", small, *where), str(small), *words)
    assert not out.exists()


def test_no_compiler(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("NC64C_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    result = nc64c("cosim", "--checkpoint", small, "--out", out, *SMALL_CHIP)
    refused(result, "C++ compiler", "no-such-compiler")
    assert not out.exists()


@pytest.mark.parametrize("command", ["cosim", "verilog"])
def test_unwritable_folders(command: str, tmp_path: Path) -> None:
    refused(nc64c(command, "--out", "/proc/nc64c"), "cannot write /proc/nc64c")
    (tmp_path / "file").write_text("mine")
    refused(nc64c(command, "--out", tmp_path / "file"), "is a file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("command", ["train", "attack"])
def test_unwritable_files(command: str, tmp_path: Path) -> None:
    refused(nc64c(command, "--out", tmp_path), "no regular file")
    refused(nc64c(command, "--out", "/dev/full"), "no regular file")
    refused(nc64c(command, "--out", tmp_path / "missing" / "file"), "no folder")
    assert list(tmp_path.iterdir()) == []


def test_unknown_data_set(tmp_path: Path) -> None:
    refused(
        nc64c("train", "--dataset", "moons", "--out", tmp_path / "x"), "unknown data set 'moons'"
    )
    assert list(tmp_path.iterdir()) == []


def test_report_of_no_run(tmp_path: Path) -> None:
    refused(nc64c("report", tmp_path), "no such file", "nc64c cosim")


def limited(arguments: list[str | Path], size: int) -> subprocess.CompletedProcess[str]:
    """nc64c in a process that can write no file beyond `size`: to it, the disk is full then."""
    code = "from cosim.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_found_before_the_work(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = limited(["cosim", "--checkpoint", small, "--out", out, *SMALL_CHIP], size=10_000)
    assert done.returncode == 2
    assert re.fullmatch(r"Error: cannot write .*/out: file too large\n", done.stderr)
    assert not out.exists()


def test_a_full_disk_while_writing_leaves_the_old_report(tmp_path: Path) -> None:
    record.save(tmp_path, make_run())
    (tmp_path / "report.html").write_text("old")
    done = limited(["report", tmp_path], size=10_000)
    assert done.returncode == 2
    assert re.fullmatch(r"Error: cannot write .*report.html: file too large\n", done.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "run.json"]
    assert (tmp_path / "report.html").read_text() == "old"


# ---------------------------------------------------------------- interrupted
def test_ctrl_c_says_what_was_finished(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(FakeRtl):
        def __call__(self, program, jobs, advance):  # type: ignore[no-untyped-def]
            advance(5)
            raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "verilated", lambda *_: (Interrupted(), 0.0))
    out = tmp_path / "out"
    arguments = ["--checkpoint", small, "--out", out, "--images", "3", *SMALL_CHIP]
    result = nc64c("cosim", *arguments)
    assert result.exit_code == 130
    assert result.stderr == (
        "Interrupted; nothing was written. Finished: attacks, float, quantised, golden, "
        "network check; RTL: 5 of 12 images.\n"
    )
    assert not out.exists()


def test_chip_sizes_reach_the_build(small: Path, tmp_path: Path) -> None:
    seen: list[tuple[ChipShape, int, bool]] = []

    def verilated(
        shape: ChipShape, jobs: int, front_door: bool, _: Progress
    ) -> tuple[FakeRtl, float]:
        seen.append((shape, jobs, front_door))
        return FakeRtl(), 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "verilated", verilated)
        arguments = ["--out", tmp_path / "out", "--images", "1", "--jobs", "3", "--front-door"]
        assert nc64c("cosim", "--checkpoint", small, *arguments, *SMALL_CHIP).exit_code == 0
    assert seen == [(ChipShape(3, 2, 256, 256), 3, True)]
