"""A streamed network at its levels, and the memory of processes: what is measured is the thing."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from cosim.bench import suite
from cosim.bench.measure import memory
from cosim.bench.mesh import noc
from cosim.bench.network import vgg5
from sw.common.errors import InputError
from sw.files.paths import DIGITS_CHECKPOINT, VGG5_CHECKPOINT
from sw.integer import inference
from sw.integer.fold import fold
from sw.train import checkpoint
from tests.support.cli import nc64c

pytestmark = pytest.mark.rtl


def test_golden_and_network_give_the_same_membranes() -> None:
    images = vgg5.prepare(DIGITS_CHECKPOINT, None, 3, seed=1).images
    membranes = vgg5._in_golden(DIGITS_CHECKPOINT, images)
    assert np.array_equal(membranes, vgg5._as_convolutions(DIGITS_CHECKPOINT, images))
    network = fold(checkpoint.load(DIGITS_CHECKPOINT).quantised_network)
    assert np.array_equal(membranes, inference.run(network, images).membrane)
    assert len(np.unique(membranes, axis=0)) == 3


def test_images_are_made_up_by_the_seed() -> None:
    first, again, other = (vgg5.prepare(DIGITS_CHECKPOINT, None, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
    assert first.images.shape == (4, 1, 8, 8)
    assert first.source == "random patches of 4 x 4 pixels"


def test_a_folder_that_the_data_set_does_not_need() -> None:
    with pytest.raises(InputError, match="digits needs no folder"):
        vgg5.prepare(DIGITS_CHECKPOINT, Path(), 4, seed=1)


def test_the_peak_of_a_process_and_of_its_child() -> None:
    small, large = (memory.peak_mib(_hold, mib) for mib in (1, 300))
    assert large["simulator"] - small["simulator"] > 250
    assert abs(large["python"] - small["python"]) < 50


def _hold(mib: int) -> None:
    """A child of another program that holds so much for a while."""
    command = ["dd", "if=/dev/zero", "of=/dev/null", f"bs={mib}M", f"count={5000 // mib}"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def test_where_the_vgg5_is_missing_it_is_left_out_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "vgg5.safetensors"
    order = suite.Order(tmp_path, ("vgg5",), missing, None, images=4, seed=1, repeats=1)
    named = {"skipped": "VGG5 was left out: there is no vgg5.safetensors."}
    assert suite._vgg5(order, suite._subject(order)) == named
    monkeypatch.setattr(suite, "VGG5_CHECKPOINT", missing)
    assert "it comes with a checkout, not with a wheel" in suite._vgg5(order, None)["skipped"]


def test_data_that_is_not_there_is_said_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noc, "measure", lambda _: pytest.fail("measured"))
    given = (
        "--checkpoint",
        VGG5_CHECKPOINT,
        "--data",
        tmp_path / "none",
        "--out",
        tmp_path / "out",
    )
    result = nc64c("bench", "all", "--parts", "noc,vgg5", *given)
    assert result.exit_code == 2
    assert "data set cifar10: " in result.stderr
    assert not (tmp_path / "out").exists()
