"""RayS: an attack that asks for decisions only, and searches for the direction of the nearest one.

Chen and Gu, RayS: A Ray Searching Method for Hard-label Adversarial Attack, KDD 2020, algorithms 1
to 3. A direction is up or down for each pixel; blocks of it are turned round, halved from turn to
turn, and kept where the way to another decision becomes shorter. Ways have whole steps of 1/255.
"""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from sw.attack.methods.budget import Budget, moved
from sw.attack.victim import Oracle
from sw.data.dataset import Images
from sw.model.config.inputs import PIXEL_MAX

STEPS = 200  # queries an image
Search = Generator[Images, bool, None]  # asks whether an image fools, and hears it


def attack(victim: Oracle, images: Images, budget: Budget) -> Images:
    """Each image as far along its best direction as it takes, or as is allowed.

    It ends for an image when its way is short enough, and after so many queries.
    """
    if not len(images) or not budget.eps:
        return images
    queries = STEPS if budget.steps is None else budget.steps
    rays = [Ray(image) for image in images]
    searches = [ray.search(budget.eps) for ray in rays]
    asked: dict[int, Images] = {
        number: image
        for number, search in enumerate(searches)
        if (image := _next(search)) is not None
    }
    for _ in range(queries):
        if not asked:
            break
        left = np.fromiter(asked, np.int64)
        margins = victim.margins(np.stack(list(asked.values())), victim.labels.take(left))
        answers = zip(left.tolist(), (margins < 0).tolist(), strict=True)
        asked = {
            number: image
            for number, fools in answers
            if (image := _next(searches[number], fools)) is not None
        }
    return np.stack([ray.at(min(ray.length, budget.eps)) for ray in rays])


class Ray:
    """The best way that is known from an image to another decision.

    Attributes:
        ups: bool, of the image's shape: the direction, up or down for each pixel.
        length: steps of 1/255 along it that fool; 256: none do, as far as is known.
    """

    def __init__(self, image: Images) -> None:
        self._image = image
        self.ups = np.ones(image.shape, np.bool_)
        self.length = PIXEL_MAX + 1

    def at(self, length: int, ups: NDArray[np.bool_] | None = None) -> Images:
        """The image so many steps along the direction, or along another one."""
        return moved(self._image, np.where(self.ups if ups is None else ups, length, -length))

    def search(self, enough: int) -> Search:
        """Asks until a way of `enough` steps, or less, is known."""
        yield from self._shorten(self.ups)
        pixels, blocks = self.ups.size, 1
        while self.length > enough:
            for block in np.array_split(np.arange(pixels), blocks):
                ups = self.ups.copy()
                ups.reshape(-1)[block] ^= True
                yield from self._shorten(ups)
                if self.length <= enough:
                    return
            blocks = min(2 * blocks, pixels)

    def _shorten(self, ups: NDArray[np.bool_]) -> Search:
        """Takes a direction if it fools a step earlier than the best; finds where it begins to."""
        if not (yield self.at(self.length - 1, ups)):
            return
        low, high = 0, self.length - 1  # it fools at high; at 0 it is the image itself
        while high - low > 1:
            middle = (low + high) // 2
            if (yield self.at(middle, ups)):
                high = middle
            else:
                low = middle
        self.ups, self.length = ups, high


def _next(search: Search, fools: bool | None = None) -> Images | None:
    """What a search asks next; None: nothing more."""
    try:
        return next(search) if fools is None else search.send(fools)
    except StopIteration:
        return None
