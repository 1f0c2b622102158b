"""What the user can put right: one sentence, exit code 2, and nothing half-written."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from safetensors import safe_open
from typer.testing import Result

from cosim.record import record
from sw.common.typed import plain
from sw.model.config.layer import LayerSpec
from sw.model.network import SpikingNetwork
from sw.train import checkpoint
from sw.train.loop import Trained
from sw.train.settings import TrainSettings
from tests.support.cli import SMALL_CHIP, nc64c, small_checkpoint
from tests.support.records import changed, make_run
from tests.support.subjects import CONFIG


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_checkpoint(tmp_path)


def refused(result: Result, *words: str) -> None:
    """One sentence with these words on stderr, nothing on stdout, exit code 2."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--images", "0"], ["0 images", "1 to 450"]),
        (["--images", "-3"], ["-3 images", "1 to 450"]),
        (["--images", "451"], ["451 images", "1 to 450"]),
        (["--golden-images", "199"], ["199 golden images", "at least the 200"]),
        (["--golden-images", "451"], ["451 images", "1 to 450"]),
        (["--images", "0", "--golden-images", "9"], ["0 images", "1 to 450"]),
        (["--sets", "clean,cw_8"], ["unknown set 'cw_8'", "such as fgsm_8"]),
        (["--sets", "fgsm_08"], ["unknown set 'fgsm_08'"]),
        (["--sets", "transfer_8"], ["set transfer_8", "--attacker"]),
        (["--sets", "transfer_8", "--attacker", "none.safetensors"], ["none.safetensors"]),
        (["--sets", "fgsm_0"], ["unknown set 'fgsm_0'"]),
        (["--sets", "fgsm_256"], ["unknown set 'fgsm_256'"]),
        (["--sets", ""], ["unknown set ''"]),
        (["--sets", "clean,clean"], ["there twice"]),
        (["--clock-mhz", "0"], ["clock of 0 MHz"]),
        (["--clock-mhz", "nan"], ["clock of nan MHz"]),
        (["--clock-mhz", "inf"], ["clock of inf MHz"]),
        (["--clock-mhz", "1e300"], ["clock of 1e+300 MHz", "at most 1e+06"]),
        (["--mesh", "8"], ["mesh '8'", "such as 8x8"]),
        (["--mesh", "9x8"], ["chip columns = 9"]),
        (["--axons", "100"], ["chip axons = 100"]),
        (["--checkpoint", "missing.safetensors"], ["missing.safetensors", "no such file"]),
    ],
)
def test_bad_arguments(small: Path, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    out = tmp_path / "out"
    result = nc64c("cosim", "--checkpoint", small, "--out", out, *SMALL_CHIP, *arguments)
    refused(result, *words)
    assert not out.exists()


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        ("17", ["17 bits of noise", "0 to 16"]),
        ("8,", ["bits '8,'", "such as 0,4,8"]),
        ("-1", ["bits '-1'"]),
        ("4,4", ["there twice"]),
    ],
)
def test_bad_noise(small: Path, tmp_path: Path, bits: str, words: list[str]) -> None:
    out = tmp_path / "out"
    result = nc64c("noise", "--checkpoint", small, "--out", out, "--bits", bits, *SMALL_CHIP)
    refused(result, *words)
    assert not out.exists()


def saved(folder: Path, **change: object) -> Path:
    """A checkpoint of the small network, its configuration changed."""
    config = replace(CONFIG, **change)  # type: ignore[arg-type]
    networks = SpikingNetwork(config), SpikingNetwork(config, config.weight_bits)
    for network in networks:
        network.reset(0)
    path = folder / f"{'-'.join(change)}.safetensors"
    checkpoint.save(path, Trained(*networks), TrainSettings())
    return path


DOORS = {
    "cosim": ("--sets", "transfer_8", *SMALL_CHIP),
    "attack": ("--sets", "transfer_8"),
    "noise": ("--sets", "transfer_8", "--bits", "4", *SMALL_CHIP),
    "robustness": (),
}


@pytest.mark.parametrize("command", DOORS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"input_shape": (1, 16, 16)},
            ["images (1, 16, 16) of digits", "must be images (1, 8, 8)"],
        ),
        ({"dataset": "mnist"}, ["images (1, 8, 8) of mnist", "must be images (1, 8, 8) of digits"]),
        ({"classes": tuple("abcdefghij")}, ["10 classes (a, b, c ...)", "(0, 1, 2 ...)"]),
    ],
)
def test_an_attack_model_of_other_images(
    small: Path, tmp_path: Path, command: str, change: dict[str, object], words: list[str]
) -> None:
    """The same sentence at every door."""
    attacker, out = saved(tmp_path, **change), tmp_path / "out"
    network = [small] if command == "robustness" else ["--checkpoint", small]
    given = [*network, "--attacker", attacker, "--out", out, *DOORS[command]]
    refused(nc64c(command, *given), f"attack model {attacker} takes", *words)
    assert not out.exists()


@pytest.fixture
def images(small: Path, tmp_path: Path) -> Path:
    """A file of 4 images in two sets."""
    path = tmp_path / "images.safetensors"
    chosen = ["--checkpoint", small, "--images", 4, "--sets", "clean,fgsm_8"]
    assert nc64c("attack", *chosen, "--out", path).exit_code == 0
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sets", "clean,pgd_8"], ["has no set 'pgd_8', only clean, fgsm_8"]),
        (["--sets", ""], ["has no set ''"]),
        (["--sets", "clean,clean"], ["there twice"]),
        (["--images", "5"], ["5 images were asked for", "1 to 4"]),
        (["--images", "0"], ["0 images were asked for", "1 to 4"]),
        (["--images", "3", "--golden-images", "2"], ["2 golden images", "at least the 3"]),
        (["--data", "folder"], ["--data folder", "leave it out"]),
        (["--attacker", "file"], ["--attacker file", "leave it out"]),
    ],
)
def test_bad_replays(
    small: Path, images: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    out = ["--out", tmp_path / "out", *SMALL_CHIP]
    refused(nc64c("cosim", "--checkpoint", small, "--replay", images, *out, *arguments), *words)
    assert not (tmp_path / "out").exists()


def test_replays_of_bad_files(small: Path, images: Path, tmp_path: Path) -> None:
    """Another network's images, a cut file, a checkpoint, a folder, none."""
    out = ["--out", tmp_path / "out"]
    other = saved(tmp_path, dataset="mnist")
    given = ["--checkpoint", other, "--replay", images, *out]
    refused(nc64c("cosim", *given), str(images), "of digits", "takes (1, 8, 8) of mnist")
    cut = tmp_path / "cut"
    cut.write_bytes(images.read_bytes()[:-1])
    for path, word in (
        (cut, "is truncated"),
        (small, "is not a file of images"),
        (tmp_path, "cannot read file of images"),
        (tmp_path / "none", "cannot read file of images"),
    ):
        given = ["--checkpoint", small, "--replay", path, *out, *SMALL_CHIP]
        refused(nc64c("cosim", *given), word, str(path))
    assert not (tmp_path / "out").exists()


def test_table5_of_clean_images(tmp_path: Path) -> None:
    run = make_run()
    record.save(
        tmp_path, changed(run, {"sets": {"clean": plain(run.sets["clean"])}, "examples": []})
    )
    refused(nc64c("table5", tmp_path), "Table 5 needs", "this one has clean")


def test_the_folder_of_a_data_set(small: Path, tmp_path: Path) -> None:
    """Digits come with a package; CIFAR-10 does not, and is looked for where one says."""
    out = ("--out", tmp_path / "out")
    digits = nc64c("cosim", "--checkpoint", small, "--data", tmp_path, *out, *SMALL_CHIP)
    refused(digits, "digits needs no folder", str(tmp_path))
    config = replace(CONFIG, dataset="cifar10", input_shape=(3, 32, 32))
    networks = SpikingNetwork(config), SpikingNetwork(config, config.weight_bits)
    for network in networks:
        network.reset(0)
    path = tmp_path / "cifar10.safetensors"
    checkpoint.save(path, Trained(*networks), TrainSettings())
    for command in ("cosim", "attack"):
        refused(nc64c(command, "--checkpoint", path, *out), "cifar10 needs a folder")
        elsewhere = ("--data", tmp_path / "missing")
        refused(nc64c(command, "--checkpoint", path, *elsewhere, *out), str(elsewhere[1]))
    assert not (tmp_path / "out").exists()


def test_a_network_that_fits_no_chip(tmp_path: Path) -> None:
    """512 inputs on cores of 64 axons: 8 pages of 5 planes, and there are 16 dendrites."""
    config = replace(CONFIG, layers=(LayerSpec("conv", 8), LayerSpec("fc", 4)))
    networks = SpikingNetwork(config), SpikingNetwork(config, config.weight_bits)
    for network in networks:
        network.reset(0)
    path = tmp_path / "wide.safetensors"
    checkpoint.save(path, Trained(*networks), TrainSettings())
    chip = ("--mesh", "8x8", "--axons", "64", "--dendrites", "16")
    for command in (("map",), ("cosim", "--out", tmp_path / "out")):
        result = nc64c(*command, "--checkpoint", path, *chip)
        refused(result, "layer fc1 needs 40 dendrites", "a core has 16")
    assert not (tmp_path / "out").exists()


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


def test_no_folder_for_shards(small: Path, tmp_path: Path) -> None:
    (tmp_path / "shards").write_text("mine")
    result = nc64c("cosim", "--checkpoint", small, "--out", tmp_path, *SMALL_CHIP)
    refused(result, f"{tmp_path / 'shards'} is a file")
    assert (tmp_path / "shards").read_text() == "mine"


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
    code = "from cosim.cli.app import main; main()"
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
