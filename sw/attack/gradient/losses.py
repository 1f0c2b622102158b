"""What an attack raises: losses of class scores, one number an image."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from sw.common.errors import InputError

Loss = Callable[[Tensor, Tensor], Tensor]  # scores [B, classes], labels int64 [B] -> [B]
DLR_CLASSES = 4  # at least: it divides by a distance that the first, third and fourth score have


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """J of Eq. 3: small where the label's score is the largest."""
    return F.cross_entropy(scores, labels, reduction="none")


def dlr(scores: Tensor, labels: Tensor) -> Tensor:
    """Difference of logits ratio: the margin with its sign turned, over a range of the scores.

    Croce and Hein, ICML 2020, whose range is that of the first and third score for an untargeted
    attack; here it ends in the middle of the third and fourth, as theirs does for a targeted one:
    so one formula serves both. A factor or an offset of all scores changes nothing, so scores that
    are far apart have a gradient as large as others.

    Raises:
        InputError: there are fewer than 4 classes.
    """
    if scores.shape[1] < DLR_CLASSES:
        raise InputError(
            f"the DLR loss needs {DLR_CLASSES} classes or more, the network has {scores.shape[1]}"
        )
    ranked = scores.sort(dim=1, descending=True).values
    span = ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2
    return -margin(scores, labels) / (span + 1e-12)


def margin(scores: Tensor, labels: Tensor) -> Tensor:
    """The label's score above the largest of the others: below 0 the answer is another class."""
    own = scores.gather(1, labels[:, None])[:, 0]
    others = scores.scatter(1, labels[:, None], -torch.inf)
    return own - others.max(dim=1).values
