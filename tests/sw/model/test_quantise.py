"""Eq. 13 against values worked out by hand, and the pseudo-node's gradient."""

import pytest
import torch

from sw.model.quantise import clip_scale, codes, pseudo_node, quantise

# K: code of 0.3, code of -0.2; with K = 4: 15 * 1.3 / 2 = 9.75, rounds to 10; 2 * 10 - 15 = 5.
BY_HAND = {
    1: (1, -1),
    2: (1, -1),
    3: (3, -1),
    4: (5, -3),
    5: (9, -7),
    6: (19, -13),
    7: (39, -25),
    8: (77, -51),
}


@pytest.mark.parametrize("bits", BY_HAND)
def test_values_by_hand(bits: int) -> None:
    x = torch.tensor([0.3, -0.2, 1.0, -1.0], dtype=torch.float64)
    largest = 2**bits - 1
    expected = [*BY_HAND[bits], largest, -largest]
    assert codes(x, bits).tolist() == expected
    assert quantise(x, bits).tolist() == [code / largest for code in expected]


@pytest.mark.parametrize("bits", BY_HAND)
def test_levels_are_all_odd_integers(bits: int) -> None:
    found = torch.unique(codes(torch.linspace(-1, 1, 20_001), bits)).tolist()
    assert found == list(range(-(2**bits) + 1, 2**bits, 2))


@pytest.mark.parametrize("bits", BY_HAND)
def test_a_level_is_its_own_quantisation(bits: int) -> None:
    levels = torch.unique(quantise(torch.linspace(-1, 1, 20_001), bits))
    assert torch.equal(quantise(levels, bits), levels)


def test_what_is_outside_is_clipped() -> None:
    assert codes(torch.tensor([-7.0, 7.0]), 4).tolist() == [-15, 15]


def test_the_scale_is_one_per_layer() -> None:
    weight = torch.tensor([[1.0, -1.0], [3.0, -3.0]])
    assert clip_scale(weight).item() == pytest.approx(2.5 * 5**0.5)


def test_pseudo_node_passes_the_gradient_where_it_does_not_clip() -> None:
    weight = torch.tensor([0.1, -0.1, 0.05, 10.0, *[0.0] * 60], requires_grad=True)
    before = weight.detach().clone()
    rounded, unit = pseudo_node(weight, 4)
    (rounded * unit).sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    expected = torch.ones(64)
    expected[3] = 0.0
    assert torch.allclose(weight.grad, expected)
    assert torch.equal(weight, before), "the float weight must stay as it is"


def test_pseudo_node_is_near_the_weight() -> None:
    weight = torch.empty(1000).uniform_(-1, 1, generator=torch.Generator().manual_seed(5))
    rounded, unit = pseudo_node(weight, 4)
    assert set(rounded.tolist()) <= set(range(-15, 16, 2))
    assert (rounded * unit - weight).abs().max() <= unit * 1.000001
