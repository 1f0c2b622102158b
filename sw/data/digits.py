"""The handwritten digits of scikit-learn: 8 x 8, grey, part of the package."""

import numpy as np
from numpy.typing import NDArray

from sw.data.dataset import Dataset, Split

TEST_SHARE = 0.25  # of each class: 450 of 1797 images
SPLIT_SEED = 2023


def load(split: Split) -> Dataset:
    """The digits: grey levels 0..16 are put on the grid 0..255; the split is by class and seed."""
    from sklearn.datasets import load_digits  # takes as long as PyTorch, and few need it

    bunch = load_digits()
    images = np.rint(bunch.images * 255 / 16).astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    chosen = _stratified(labels, split)
    classes = tuple(str(digit) for digit in range(10))
    return Dataset("digits", images[chosen], labels[chosen], classes)


def _stratified(labels: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
    """Indices of one split, in mixed order: of each class the same share, drawn by SPLIT_SEED."""
    generator = np.random.default_rng(SPLIT_SEED)
    train, test = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        held_out = round(len(members) * TEST_SHARE)
        test.append(members[:held_out])
        train.append(members[held_out:])
    return generator.permutation(np.concatenate(test if split == "test" else train))
