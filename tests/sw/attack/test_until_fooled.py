"""Attacks that leave an image alone once it fools: the same images fall, with fewer looks."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.gradient.sight import Seen, Sight
from sw.attack.gradient.surrogates import SURROGATES
from sw.attack.gradient.way import Way
from sw.attack.suite.members import Choice, at_the_largest
from sw.data.dataset import Dataset
from sw.model.metrics import evaluate
from sw.train.checkpoint import Checkpoint

EPS = 24  # some of the images fall, at different steps
ALONE = Way(batch=1)  # the last bits of a gradient depend on who else is in the batch
ATTACKS = {
    "pgd": Attack("pgd", EPS, steps=8),
    "apgd": Attack("apgd", EPS, steps=12),
    "dlr": Attack("dlr", EPS, steps=12),
    "sapgd": Attack("sapgd", EPS, steps=12, way=replace(ALONE, surrogate="assg")),
    "pdsg": Attack("apgd", EPS, steps=8, way=replace(ALONE, surrogate="pdsg")),
    "square": Attack("square", EPS, steps=60),
}


@pytest.fixture
def data(held_out: Dataset) -> Dataset:
    return held_out.take(slice(0, 16))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images are in each look along a gradient."""
    counted: list[int] = []
    look = Sight.look

    def counting(sight: Sight, network: object, pixels: torch.Tensor, *more: object) -> Seen:
        counted.append(len(pixels))
        return look(sight, network, pixels, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Sight, "look", counting)
    return counted


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_the_first_image_that_fools_is_given(
    committed: Checkpoint, data: Dataset, looks: list[int], name: str
) -> None:
    network, attack = committed.quantised_network, ATTACKS[name]
    way = attack.way or ALONE
    [whole] = attack.at([EPS], network, data, way)
    asked = sum(looks)
    looks.clear()
    [stopped] = replace(attack, until_fooled=True).at([EPS], network, data, way)
    fooled = whole.course.fooled(data.numbers)
    assert 0 < fooled.sum() < len(data)
    assert np.array_equal(stopped.course.fooled(data.numbers), fooled)
    assert stopped.course.left == whole.course.left
    assert np.array_equal(stopped.images, whole.course.fooling(data.numbers, whole.images))
    assert sum(looks) < asked or name == "square"
    answers = evaluate(network, stopped.images[fooled]).predictions
    assert (answers != data.labels[fooled]).all()


@pytest.mark.slow
def test_further_starts_are_for_images_that_stand(
    committed: Checkpoint, data: Dataset, looks: list[int]
) -> None:
    """`nearest`, a start a class: each start looks at no more images than the one before left."""
    network = committed.quantised_network
    attack = Attack("nearest", EPS, steps=6, restarts=4, until_fooled=True)
    [found] = attack.at([EPS], network, data, ALONE)
    [once] = replace(attack, restarts=1).at([EPS], network, data, ALONE)
    stood = int((~once.course.fooled(data.numbers)).sum())
    assert 0 < stood < len(data)
    assert len(found.course.standing) <= stood
    assert sum(looks) < 4 * 7 * len(data)
    first = once.course.fooled(data.numbers)
    assert np.array_equal(found.images[first], once.images[first])


@pytest.mark.slow
@pytest.mark.parametrize("surrogate", ["paper", "pdsg", "assg"])
def test_who_rests_takes_nothing_from_the_others(
    committed: Checkpoint, data: Dataset, surrogate: str
) -> None:
    """In batches of 5 a surrogate that remembers must remember whom it saw."""
    network, way = committed.quantised_network, Way(surrogate=surrogate, batch=5)
    attack = Attack("sapgd", EPS, steps=10, until_fooled=True)
    [together], [alone] = (
        attack.at([EPS], network, data, each) for each in (way, replace(way, batch=1))
    )
    same = (together.images == alone.images).all(axis=(1, 2, 3))
    assert same.mean() > 0.7


@pytest.mark.parametrize("name", SURROGATES)
def test_a_surrogate_keeps_the_images_that_go_on(name: str) -> None:
    """Two looks at four images, then one at two of them: as if all four had been looked at."""
    membranes = [
        torch.randn(3, 4, 2, 5, 5, generator=torch.Generator().manual_seed(n)) for n in range(3)
    ]
    kept = torch.tensor([True, False, False, True])
    made = SURROGATES[name]
    whole, part = made.make(made.usual), made.make(made.usual)
    for seen in membranes[:2]:
        for slope in (whole, part):
            slope.step()
            slope("conv1", seen, 0.7)
    part.keep(kept)
    whole.step()
    part.step()
    expected = whole("conv1", membranes[2], 0.7)[:, kept]
    assert torch.equal(part("conv1", membranes[2][:, kept], 0.7), expected)


def test_a_suite_stops_where_an_image_fools_the_network_that_counts() -> None:
    """Not a transfer's images, which fool another network, nor those made for a mean of draws."""
    members = Choice("reliable", draws=2, transfers=("0" * 64,)).members()
    stops = {name: member.attack.until_fooled for name, member in members.items()}
    assert not stops.pop("eot")
    assert not stops.pop("transfer1")
    assert all(stops.values())
    assert at_the_largest(Choice("quick"), 0).attack.until_fooled
