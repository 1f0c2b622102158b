"""`nc64c train`: names that collide, settings that do not go together, networks of no use."""

from pathlib import Path

import pytest

from sw.files.paths import DIGITS_CHECKPOINT
from sw.train.task import beside
from tests.support.cli import nc64c

SMALL = ("--features", "4-4-4-8", "--epochs", "2", "--quantised-epochs", "1", "--batch", "128")


@pytest.mark.parametrize("name", ["net.state", "net.curve.jsonl", ".state"])
def test_a_checkpoint_has_no_name_of_what_lies_beside_one(tmp_path: Path, name: str) -> None:
    result = nc64c("train", *SMALL, "--out", tmp_path / name)
    assert result.exit_code == 2
    assert "is for what a training leaves beside its checkpoint" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_two_checkpoints_share_what_lies_beside_them() -> None:
    names = ("lam0.5", "lam0.75", "lam0", "net", "net.safetensors", "net.old.safetensors")
    files = {
        beside(Path(name), ending).name for name in names for ending in ("state", "curve.jsonl")
    }
    assert len(files) == 2 * len(names)
    assert not files & set(names)


@pytest.mark.parametrize("how", ["name", "relative", "symlink", "hard link"])
@pytest.mark.parametrize("command", ["train", "shrink", "attack", "robustness"])
def test_what_is_read_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, how: str
) -> None:
    source = tmp_path / "a.safetensors"
    source.write_bytes(DIGITS_CHECKPOINT.read_bytes())
    out = tmp_path / "b.safetensors"
    if how == "symlink":
        out.symlink_to(source)
    elif how == "hard link":
        out.hardlink_to(source)
    else:
        monkeypatch.chdir(tmp_path)
        out = source if how == "name" else Path("..") / tmp_path.name / source.name
    options: dict[str, tuple[str | Path, ...]] = {
        "train": ("--start", source),
        "shrink": (source,),
        "attack": ("--checkpoint", source, "--images", "1"),
        "robustness": (source, "--images", "1"),
    }
    result = nc64c(command, *options[command], "--out", out)
    assert result.exit_code == 2
    assert f"is the same as {source}, which is read: give another name" in result.stderr
    assert source.read_bytes() == DIGITS_CHECKPOINT.read_bytes()
    assert source.stat().st_nlink == (2 if how == "hard link" else 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps", [("--timesteps", "1"), ("--timesteps", "2", "--short-epochs", "1")]
)
def test_a_last_batch_of_one_image_and_one_step(tmp_path: Path, steps: tuple[str, ...]) -> None:
    """1347 - 2 images make 4 batches of 336 and one image more."""
    epochs = ("--epochs", "1", "--quantised-epochs", "1")
    options = (*SMALL, *epochs, "--batch", "336", "--validation", "2", *steps)
    result = nc64c("train", *options, "--out", tmp_path / "x")
    assert result.exit_code == 0, result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--bits", "8"), "needs 9 planes for weights of 8 bits, a core has 8"),
        (("--leak", "0.6"), "leak 0.6: must be 1 or 1 - 2^-k to be a shift, such as 0.5 or 0.75"),
        (("--pooling", "average"), "average pooling runs in software only"),
    ],
)
def test_a_network_that_the_chip_will_not_take_is_trained_with_a_warning(
    tmp_path: Path, options: tuple[str, str], sentence: str
) -> None:
    out = tmp_path / "x"
    result = nc64c("train", *SMALL, *options, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("Warning: the chip will not take this network, only software")
    assert sentence in result.stderr
    mapped = nc64c("map", "--checkpoint", out)
    assert mapped.exit_code == 2
    assert sentence in mapped.stderr


def test_a_network_that_never_fires_is_said_to_be_dead(tmp_path: Path) -> None:
    result = nc64c("train", *SMALL, "--no-norm", "--theta", "1e6", "--out", tmp_path / "x")
    assert result.exit_code == 0, result.output
    sentence = "Warning: the quantised network is dead: no neuron of conv1, conv2, conv3, fc1 fires"
    assert sentence in result.stderr


def test_a_checkpoint_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that loses what it took: nothing is said to be there."""
    out = tmp_path / "x"
    monkeypatch.setattr(
        "sw.files.tensorfile.atomic_write", lambda path, data: path.write_bytes(data[:99])
    )
    result = nc64c("shrink", DIGITS_CHECKPOINT, "--out", out)
    assert result.exit_code == 2
    assert "x is truncated" in result.stderr
    assert result.stdout == ""
