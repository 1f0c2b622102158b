"""The handwritten digits of scikit-learn: 8 x 8, grey, part of the package.

450 of the 1797 images are held out.
"""

import numpy as np

from sw.data.dataset import Dataset, Split, stratified


def load(split: Split) -> Dataset:
    """The digits: grey levels 0..16 are put on the grid 0..255; the split is by class and seed."""
    from sklearn.datasets import load_digits  # takes as long as PyTorch, and few need it

    bunch = load_digits()
    images = np.rint(bunch.images * 255 / 16).astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    chosen = stratified(labels, split)
    classes = tuple(str(digit) for digit in range(10))
    return Dataset("digits", images[chosen], labels[chosen], classes)
