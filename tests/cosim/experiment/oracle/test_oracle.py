"""The chip as a victim: it answers as the chip does, with its noise and its faults."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cosim.experiment.levels.results import Chips
from cosim.experiment.oracle import rows
from cosim.experiment.oracle.chip import Chip, parse_chips
from cosim.experiment.oracle.desk import Desk
from cosim.experiment.oracle.pieces import Made, Pieces
from cosim.experiment.oracle.rows import CHIP, FLOAT, QUANTISED, SEEDS, Row, rows_of
from cosim.experiment.oracle.shown import show
from cosim.experiment.oracle.victim import ChipVictim, margins_of, output_membranes
from cosim.golden.runner import GoldenRunner
from hw.spec import ChipShape
from sw.attack.methods.budget import Budget
from sw.attack.victim import Labels
from sw.common.errors import InputError
from sw.integer import inference
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import SHAPE, FakeRtl, make_data, make_subject

DATA = make_data(6)
LABELS = Labels(DATA.labels, DATA.numbers)
ODD = ChipShape(1, 3, 256, 256)  # its slots divide no layer's tiles
NOISY, STUCK = Chip(noise_bits=13), Chip(stuck=50)


def desk(shape: ChipShape = SHAPE) -> Desk:
    return Desk(make_subject(shape), seed=3, device=torch.device("cpu"))


@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_a_plain_chip_answers_as_the_network(shape: ChipShape) -> None:
    subject = make_subject(shape)
    found = output_membranes(subject.mapping, subject.network, DATA.images, GoldenRunner())
    assert np.array_equal(found, inference.run(subject.network, DATA.images).membrane)
    assert len(np.unique(found)) > 10


@pytest.mark.parametrize("chip", [NOISY, STUCK, Chip(13, 50)], ids=["noise", "stuck", "both"])
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_another_chip_answers_otherwise_and_the_same_at_each_level(
    shape: ChipShape, chip: Chip
) -> None:
    at = desk(shape)
    mapping, network = at.mapping(chip), at.subject.network
    golden = at.golden(chip)
    found = output_membranes(mapping, network, DATA.images, golden)
    plain = output_membranes(at.subject.mapping, network, DATA.images, GoldenRunner())
    assert (found != plain).any()
    shown = show(mapping, network, DATA.images, Chips(golden, FakeRtl()), 4)
    assert shown.golden == found.argmax(axis=1).tolist()
    assert shown.rtl == shown.golden[:4]
    assert (shown.mismatches, shown.first) == (0, None)
    assert shown.spikes > 50


def test_a_seed_that_is_not_known_is_averaged_over() -> None:
    at = desk()
    network, golden = at.subject.network, at.golden(NOISY)
    draws = [at.mapping(NOISY, seed) for seed in (1, 2)]
    each = [ChipVictim(network, [draw], golden, LABELS) for draw in (at.mapping(NOISY), *draws)]
    own, first, second = (victim.margins(DATA.images, LABELS) for victim in each)
    assert (first != own).any()
    assert (first != second).any()
    both = ChipVictim(network, draws, golden, LABELS)
    assert np.array_equal(both.margins(DATA.images, LABELS), (first + second) / 2)
    assert both.queries == len(DATA)


@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP, ODD], ids=["resident", "streamed", "odd"])
def test_an_image_meets_the_same_noise_in_any_company(shape: ChipShape) -> None:
    """Asked alone, and among others in another order: what the chip says when it is shown all."""
    at, images = desk(shape), np.repeat(DATA.images[:1], len(DATA), axis=0)
    mapping, network, golden = at.mapping(NOISY), at.subject.network, at.golden(NOISY)
    shown = output_membranes(mapping, network, images, golden)
    differ = len(np.unique(shown, axis=0)) > 1  # one image, and noise by its place
    assert differ == (shape in (ODD, TINY_CHIP))
    victim = ChipVictim(network, [mapping], golden, LABELS)
    for places in ([3], [0], [5, 1, 4], [2, 5], [5, 4, 3, 2, 1, 0]):
        chosen = np.array(places)
        found = output_membranes(mapping, network, images[chosen], golden, chosen)
        assert np.array_equal(found, shown[chosen]), places
        labels = LABELS.take(chosen)
        margins = victim.margins(images[chosen], labels)
        assert np.array_equal(margins, margins_of(shown[chosen], labels).astype(np.float32))


def test_the_first_of_equal_membranes_is_the_answer() -> None:
    membranes = np.array([[5, 5, 1], [5, 5, 1], [7, 2, 9]])
    labels = Labels(np.array([0, 1, 0]), np.arange(3))
    assert margins_of(membranes, labels).tolist() == [0.5, -0.5, -2]
    wanted = replace(labels, targeted=True)
    assert margins_of(membranes, wanted).tolist() == [-0.5, 0.5, 2]


@pytest.mark.parametrize("chip", [Chip(), NOISY, STUCK], ids=["plain", "noise", "stuck"])
def test_attacks_on_the_chip_fool_the_chip(chip: Chip) -> None:
    at, budget = desk(), Budget(eps=60, steps=30)
    golden = at.golden(chip)
    before = output_membranes(at.mapping(chip), at.subject.network, DATA.images, golden)
    data = replace(DATA, labels=before.argmax(axis=1))  # all are right
    for attack in ("square", "rays"):
        images, queries = at.make(Row(attack, CHIP), chip, data, budget)
        assert np.abs(images.astype(int) - data.images).max() <= 60
        assert 0 < queries <= 30 * len(data)
        after = output_membranes(at.mapping(chip), at.subject.network, images, golden)
        assert (after.argmax(axis=1) != data.labels).any(), attack


def test_pieces_are_done_once(tmp_path: Path) -> None:
    told: list[str] = []
    at, row, budget = desk(), Row("square", QUANTISED), Budget(eps=8, steps=3)
    pieces = Pieces(tmp_path, {"code": "x"}, told.append)
    made = pieces.make(at, row, Chip(), DATA, budget)
    assert np.array_equal(made.unpacked(DATA.images), at.make(row, NOISY, DATA, budget)[0])
    [file] = (tmp_path / "pieces").iterdir()
    assert pieces.make(at, row, NOISY, DATA, budget) == made  # in software: for any chip
    assert list((tmp_path / "pieces").iterdir()) == [file]
    file.write_text(file.read_text().replace(made.images[:20], "x" * 20))
    assert pieces.make(at, row, Chip(), DATA, budget) == made
    assert len(told) == 1
    assert "it is done again" in told[0]
    for row in (Row("square", SEEDS, 2), Row("square", SEEDS, 1), Row("square", CHIP)):
        pieces.make(at, row, NOISY, DATA, budget)
    for row in (Row("fgsm", rows.EXPECTED, 2), Row("fgsm", rows.NOISY), Row("fgsm", QUANTISED)):
        pieces.make(at, row, NOISY, DATA, budget)
    assert len(list((tmp_path / "pieces").iterdir())) == 7


def test_images_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot reshape"):
        Made.of(DATA.images[:2], 1).unpacked(DATA.images)


def test_names_of_chips() -> None:
    found = parse_chips("plain, noise_12,stuck_3+noise_4")
    assert found == {"plain": Chip(), "noise_12": Chip(12), "stuck_3+noise_4": Chip(4, 3)}
    for wrong in ("", "noise", "noise_0", "noise_17", "stuck_1001", "noise_1+noise_2", "hot_3"):
        with pytest.raises(InputError, match="must be"):
            parse_chips(wrong)
    with pytest.raises(InputError, match="twice"):
        parse_chips("plain,plain")


def test_a_chip_tells_no_gradient_but_its_noise_is_known_in_software() -> None:
    def asked(chip: Chip, attack: str) -> list[tuple[str, int]]:
        found = rows_of(chip, (attack,), (1, 4))
        return [(row.asked, row.draws) for row in found if row.asked not in (FLOAT, QUANTISED)]

    assert asked(NOISY, "rays") == [(CHIP, 0), (SEEDS, 1), (SEEDS, 4)]
    assert asked(NOISY, "apgd") == [(rows.NOISY, 0), (rows.EXPECTED, 1), (rows.EXPECTED, 4)]
    assert asked(NOISY, "noise") == asked(STUCK, "apgd") == []
    assert asked(STUCK, "rays") == [(CHIP, 0)]


def test_a_gradient_that_knows_the_noise_is_another_and_the_network_is_left_as_it_was() -> None:
    at, budget = desk(), Budget(eps=40, steps=5)
    network = at.subject.quantised_network
    asked = [(QUANTISED, 0), (rows.NOISY, 0), (rows.EXPECTED, 2)]
    made = [at.make(Row("apgd", *each), NOISY, DATA, budget)[0] for each in asked]
    assert len({images.tobytes() for images in made}) == 3
    both = at.make(Row("apgd", rows.NOISY), replace(NOISY, stuck=50), DATA, budget)[0]
    assert np.array_equal(both, at.make(Row("apgd", rows.NOISY), NOISY, DATA, budget)[0])
    assert network.noise is None
    assert network.draw == 0
