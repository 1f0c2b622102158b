"""`nc64c cosim --sets FILE`: images that were attacked elsewhere, at all levels."""

from pathlib import Path

import numpy as np
import pytest

from cosim.experiment.images.inputs import of_files
from cosim.record import record
from sw.attack.image_sets import draw_images
from sw.train import checkpoint
from tests.support.cli import SMALL_CHIP, nc64c, small_checkpoint

COUNT = 3


def _files(folder: Path) -> tuple[Path, Path]:
    """Clean images, and noisy ones as floats."""
    data = draw_images("digits", COUNT, 0)
    noise = np.random.default_rng(1).normal(0, 0.1, data.images.shape)
    noisy = np.clip(data.images / 255 + noise, 0, 1)
    paths = folder / "clean.npz", folder / "noisy.npz"
    np.savez(paths[0], images=data.images, labels=data.labels)
    np.savez(paths[1], images=noisy, labels=data.labels)
    return paths


def test_files_are_sets(tmp_path: Path) -> None:
    config = checkpoint.load(small_checkpoint(tmp_path)).config
    data = draw_images(config.dataset, COUNT, 0)
    content = of_files(_files(tmp_path), config)
    assert list(content.sets) == ["clean", "noisy"]
    assert np.array_equal(content.sets["clean"].images, data.images)
    assert not np.array_equal(content.sets["noisy"].images, data.images)
    assert content.labels.tolist() == data.labels.tolist()


@pytest.mark.rtl
def test_files_go_through_all_levels(tmp_path: Path) -> None:
    """The clean file's answers are those of the same images when they are drawn."""
    clean, noisy = _files(tmp_path)
    network = ("--checkpoint", small_checkpoint(tmp_path), "--jobs", 1, *SMALL_CHIP)
    own, drawn = tmp_path / "own", tmp_path / "drawn"
    done = nc64c("cosim", *network, "--sets", f"{clean},{noisy}", "--out", own)
    assert done.exit_code == 0, done.output
    chosen = ("--sets", "clean", "--images", COUNT, "--out", drawn)
    assert nc64c("cosim", *network, *chosen).exit_code == 0
    mine, theirs = record.load(own), record.load(drawn)
    assert mine.sets["clean"].predictions == theirs.sets["clean"].predictions
    assert mine.sets["noisy"].mismatched_spikes == 0
    assert str(noisy) in (mine.facts.replayed or "")


def test_files_that_are_no_sets(tmp_path: Path) -> None:
    clean, noisy = _files(tmp_path)
    images = np.load(clean)["images"]
    np.savez(tmp_path / "bare.npz", images=images)
    np.savez(tmp_path / "other.npz", images=images, labels=(np.load(clean)["labels"] + 1) % 10)
    np.savez(tmp_path / "odd-name.npz", images=images, labels=np.load(clean)["labels"])
    network = ("--checkpoint", small_checkpoint(tmp_path), *SMALL_CHIP, "--out", tmp_path / "out")
    for sets, sentence in (
        (f"{clean},fgsm_8", "files have images of their own"),
        (f"{clean},{tmp_path}/bare.npz", "bare.npz: has no labels"),
        (f"{clean},{tmp_path}/other.npz", "other.npz: has other labels than"),
        (f"{clean},{clean}", "names must differ"),
        (f"{tmp_path}/odd-name.npz", "be of letters, digits and _"),
        (f"{tmp_path}/none.npz", "no such file"),
        (f"{tmp_path}/", "is a folder, a set must be a file"),
    ):
        done = nc64c("cosim", *network, "--sets", sets)
        assert done.exit_code == 2, done.output
        assert sentence in " ".join(done.output.split())
    done = nc64c("cosim", *network, "--sets", f"{noisy}", "--images", COUNT + 1)
    assert done.exit_code == 2
    assert not (tmp_path / "out/report.html").exists()
