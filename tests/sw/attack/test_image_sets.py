"""Sets by their names, and whose network makes the images of which."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cosim.experiment.plan import SHARD
from sw.attack.attacks import SURROGATE, Attack
from sw.attack.gradient.way import PAPER, TRAINED, Way
from sw.attack.image_sets import ATTACKS, attack_of, draw_images, parse_sets
from sw.attack.methods import METHODS
from sw.attack.set_names import TRANSFER
from sw.attack.suite.members import SUITES
from sw.common.errors import InputError
from sw.data.dataset import Dataset
from sw.files.store import key
from tests.support.subjects import make_networks, make_shards

WAYS = ("pdsg", "rate", "rga", "rga4")
TARGET, OTHER = (make_networks(seed).quantised_network for seed in (0, 1))


def test_a_set_is_called_as_its_attack_is() -> None:
    """`nc64c oracle` takes attacks by name, `nc64c cosim` sets: one attack has one name."""
    called = {
        name: how["method"]
        for name, how in ATTACKS.items()
        if not how.keys() & {"targeted", "way"} and name != TRANSFER
    }
    assert called == {name: name for name in METHODS}


def test_names() -> None:
    names = "clean, fgsm_8,targeted_8,rfgsm_8,pgd_8,transfer_16"
    assert parse_sets(names) == tuple(names.replace(" ", "").split(","))
    assert attack_of("fgsm_8") == Attack("fgsm", 8)
    assert attack_of("targeted_2") == Attack("fgsm", 2, targeted=True)
    assert attack_of("rfgsm_255", seed=3) == Attack("rfgsm", 255, seed=3)


@pytest.mark.parametrize("suite", SUITES)
def test_every_member_of_a_suite_is_a_set(suite: str) -> None:
    """Of the same method, along the same gradient; a suite takes more steps and starts."""
    for name, member in SUITES[suite].items():
        attack = attack_of(f"{name}_8")
        assert attack.method == member.attack.method
        usual = Way(surrogate=SURROGATE.get(attack.method, PAPER))
        assert (attack.way or usual) == (member.way or TRAINED)


def test_a_set_named_after_a_gradient_takes_it() -> None:
    """Each on a network of random weights; the images differ from those of all the others."""
    data = Dataset(
        "digits", np.full((4, 1, 8, 8), 100, np.uint8), np.arange(4), tuple("0123456789")
    )
    made = {name: attack_of(f"{name}_40")(TARGET, data) for name in ("apgd", *WAYS)}
    for one, other in itertools.combinations(made, 2):
        assert not np.array_equal(made[one], made[other]), (one, other)


@pytest.mark.parametrize(
    "name", ["", "fgsm", "fgsm_", "fgsm_0", "fgsm_256", "fgsm_1_2", "_8", "cw_8"]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError, match="unknown set"):
        parse_sets(f"clean,{name}")


def test_fewer_images_are_the_first_of_more() -> None:
    few, many = (draw_images("digits", count, seed=3) for count in (20, 150))
    assert np.array_equal(few.images, many.images[:20])
    assert not np.array_equal(few.images, draw_images("digits", 20, seed=4).images)


def test_shards_cover_every_image_once() -> None:
    shards = make_shards(3 * SHARD + 7, rtl_images=SHARD + 30)
    for name in ("clean", "fgsm_8"):
        parts = [shard for shard in shards if shard.set == name]
        assert [(part.first, len(part.images), part.rtl) for part in parts] == [
            (0, SHARD, True),
            (SHARD, 30, True),
            (SHARD + 30, SHARD - 30, False),
            (2 * SHARD, SHARD, False),
            (3 * SHARD, 7, False),
        ]


def test_everything_is_in_a_shards_name() -> None:
    shard = make_shards(5)[0]
    common = shard.common
    changed = shard.images.copy()
    changed[4, 0, 7, 7] ^= 1
    others = [
        shard,
        replace(shard, set="fgsm_2"),
        replace(shard, first=1),
        replace(shard, images=changed),
        replace(shard, rtl=False),
        *(
            replace(shard, common=replace(common, **change))
            for change in (
                {"checkpoint": b"other"},
                {"shape": replace(common.shape, columns=4)},
                {"seed": 6},
                {"noise_bits": 1},
                {"front_door": True},
                {"code": "other"},
            )
        ),
    ]
    assert len({key(one.settings) for one in others}) == len(others)
    assert key(replace(shard).settings) == key(shard.settings)
