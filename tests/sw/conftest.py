"""Fixtures of the algorithm's tests."""

from collections.abc import Iterator

import pytest
import torch

from sw.data import datasets
from sw.data.dataset import Dataset
from sw.files.paths import DIGITS_CHECKPOINT
from sw.train import checkpoint
from sw.train.checkpoint import Checkpoint


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """These networks are too small for threads, which would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def committed() -> Checkpoint:
    """The digits checkpoint of the repository."""
    return checkpoint.load(DIGITS_CHECKPOINT)


@pytest.fixture(scope="session")
def held_out() -> Dataset:
    """The digits' test part."""
    return datasets.load("digits", "test")
