"""A streamed network at its levels, and the memory of processes: what is measured is the thing."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from cosim.benches import peak, vgg5
from sw import checkpoint, integer
from sw.errors import InputError
from sw.fold import fold

CHECKPOINT = Path(__file__).parents[3] / "checkpoints" / "digits.safetensors"


def test_golden_and_network_give_the_same_membranes() -> None:
    images = vgg5.prepare(CHECKPOINT, None, 3, seed=1).images
    membranes = vgg5._in_golden(CHECKPOINT, images)
    assert np.array_equal(membranes, vgg5._as_convolutions(CHECKPOINT, images))
    network = fold(checkpoint.load(CHECKPOINT).quantised_network)
    assert np.array_equal(membranes, integer.run(network, images).membrane)
    assert len(np.unique(membranes, axis=0)) == 3


def test_images_are_made_up_by_the_seed() -> None:
    first, again, other = (vgg5.prepare(CHECKPOINT, None, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
    assert first.images.shape == (4, 1, 8, 8)
    assert first.source == "random patches of 4 x 4 pixels"


def test_a_folder_that_the_data_set_does_not_need() -> None:
    with pytest.raises(InputError, match="digits needs no folder"):
        vgg5.prepare(CHECKPOINT, Path(), 4, seed=1)


def test_the_peak_of_a_process_and_of_its_child() -> None:
    small, large = (peak.peak_mib(_hold, mib) for mib in (1, 300))
    assert large["simulator"] - small["simulator"] > 250
    assert abs(large["python"] - small["python"]) < 50


def _hold(mib: int) -> None:
    """A child of another program that holds so much for a while."""
    command = ["dd", "if=/dev/zero", "of=/dev/null", f"bs={mib}M", f"count={5000 // mib}"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
