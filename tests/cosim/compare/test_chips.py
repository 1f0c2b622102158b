"""Mismatches put in by hand must be found, counted and named."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.compare.chips import Comparison, Mismatch, compare_image, compare_images
from cosim.program.stimulus import Step
from hw.spec import FLIT, Kind, Region

NOTHING = np.zeros(0, np.uint64)
TICKS = 4
# RESTART, four ticks, read-back.
STEPS = [Step(NOTHING, go=False), *[Step(NOTHING, go=True)] * TICKS, Step(NOTHING, go=False)]
READ_BACK = TICKS + 1


def host(region: Region, x: int, y: int, offset: int, data: int) -> int:
    flit: int = FLIT.pack(
        kind=int(Kind.HOST), region=int(region), x0=x, y0=y, offset=offset, data=data & 0xFFFF_FFFF
    )
    return flit


def spike(tick: int, x: int, y: int, neuron: int) -> int:
    return host(Region.SPIKE, x, y, neuron, tick)


def membrane(x: int, y: int, neuron: int, value: int) -> int:
    return host(Region.MEMBRANE, x, y, neuron, value)


def flits(*words: int) -> NDArray[np.uint64]:
    return np.array(words, np.uint64)


def golden() -> list[NDArray[np.uint64]]:
    """Responses of an image: a few spikes in ticks 0 to 3 and three membranes."""
    spikes = [
        [spike(tick, x, y, 10 * tick + y) for x in range(2) for y in range(3)]
        for tick in range(TICKS)
    ]
    membranes = [membrane(0, 0, 5, -7), membrane(0, 0, 6, 1000), membrane(1, 2, 5, 3)]
    return [NOTHING, *(flits(*words) for words in spikes), flits(*membranes)]


def drop(responses: list[NDArray[np.uint64]], step: int, word: int) -> None:
    kept = responses[step][responses[step] != np.uint64(word)]
    assert len(kept) == len(responses[step]) - 1
    responses[step] = kept


def add(responses: list[NDArray[np.uint64]], step: int, word: int) -> None:
    responses[step] = np.append(responses[step], np.uint64(word))


def test_order_within_a_step_does_not_count() -> None:
    shuffled = [np.random.default_rng(3).permutation(step) for step in golden()]
    result = compare_image(STEPS, golden(), shuffled)
    assert result.equal
    assert (result.spikes, result.membranes, result.first) == (24, 3, None)


def test_missing_spike() -> None:
    rtl = golden()
    drop(rtl, 3, spike(2, 1, 0, 20))
    result = compare_image(STEPS, golden(), rtl, image=17)
    assert not result.equal
    assert (result.mismatched_spikes, result.mismatched_membranes) == (1, 0)
    assert result.first == Mismatch(17, 2, 1, 0, 20, "spike", expected=1, got=0, flit=2)
    assert str(result.first) == (
        "image 17, tick 2, core (1, 0), neuron 20: spike, expected 1, got none"
    )


def test_extra_spike() -> None:
    rtl = golden()
    add(rtl, 1, spike(0, 5, 7, 1023))
    result = compare_image(STEPS, golden(), rtl)
    assert (result.mismatched_spikes, result.mismatched_membranes) == (1, 0)
    assert result.first == Mismatch(0, 0, 5, 7, 1023, "spike", expected=0, got=1, flit=0)


def test_a_spike_from_the_wrong_neuron_is_one_missing_and_one_extra() -> None:
    rtl = golden()
    drop(rtl, 2, spike(1, 0, 1, 11))
    add(rtl, 2, spike(1, 0, 1, 12))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_spikes == 2
    assert result.first == Mismatch(0, 1, 0, 1, 11, "spike", expected=1, got=0, flit=1)


def test_a_spike_twice_is_not_a_spike_once() -> None:
    rtl = golden()
    add(rtl, 2, spike(1, 0, 1, 11))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_spikes == 1
    assert result.first == Mismatch(0, 1, 0, 1, 11, "spike", expected=1, got=2, flit=1)


def test_a_spike_a_tick_late_is_wrong_in_both_ticks() -> None:
    rtl = golden()
    drop(rtl, 2, spike(1, 0, 1, 11))
    add(rtl, 3, spike(2, 0, 1, 11))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_spikes == 2
    assert result.first is not None
    assert (result.first.tick, result.first.expected, result.first.got) == (1, 1, 0)


def test_a_spike_with_the_wrong_tick_stamped_on_it_says_so() -> None:
    rtl = golden()
    drop(rtl, 2, spike(1, 0, 1, 11))
    add(rtl, 2, spike(9, 0, 1, 11))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_spikes == 2
    assert result.first is not None
    assert result.first.tick == 1


@pytest.mark.parametrize(("value", "got"), [(-8, -8), (2**31 - 1, 2**31 - 1), (-(2**31), -(2**31))])
def test_wrong_membrane(value: int, got: int) -> None:
    rtl = golden()
    drop(rtl, READ_BACK, membrane(0, 0, 5, -7))
    add(rtl, READ_BACK, membrane(0, 0, 5, value))
    result = compare_image(STEPS, golden(), rtl)
    assert (result.mismatched_spikes, result.mismatched_membranes) == (0, 1)
    assert result.first == Mismatch(0, TICKS, 0, 0, 5, "membrane", expected=-7, got=got)
    assert f"neuron 5: membrane, expected -7, got {got}" in str(result.first)


def test_missing_and_surplus_membranes() -> None:
    rtl = golden()
    drop(rtl, READ_BACK, membrane(0, 0, 6, 1000))
    add(rtl, READ_BACK, membrane(1, 2, 5, 3))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_membranes == 2
    assert result.first == Mismatch(0, TICKS, 0, 0, 6, "membrane", expected=1000, got=None)


def test_a_response_of_another_kind_is_not_overlooked() -> None:
    rtl = golden()
    add(rtl, 4, host(Region.COUNTER, 1, 1, 3, 77))
    result = compare_image(STEPS, golden(), rtl)
    assert result.mismatched_spikes == 1
    assert result.first == Mismatch(0, 3, 1, 1, 3, "response", expected=0, got=1, flit=77)


def test_first_is_the_earliest_tick_then_core_then_neuron() -> None:
    rtl = golden()
    drop(rtl, READ_BACK, membrane(0, 0, 5, -7))
    for x, y in ((1, 2), (0, 2), (1, 1)):
        drop(rtl, 3, spike(2, x, y, 20 + y))
    result = compare_image(STEPS, golden(), rtl)
    assert (result.mismatched_spikes, result.mismatched_membranes) == (3, 1)
    assert result.first is not None
    assert (result.first.tick, result.first.x, result.first.y) == (2, 1, 1)


def test_first_over_images_is_the_earliest_tick_too() -> None:
    late, early = golden(), golden()
    drop(late, 4, spike(3, 0, 0, 30))
    drop(early, 2, spike(1, 1, 2, 12))
    result = compare_images([STEPS] * 3, [golden()] * 3, [golden(), late, early])
    assert (result.images, result.mismatched_spikes) == (3, 2)
    assert result.first is not None
    assert (result.first.image, result.first.tick) == (2, 1)


def test_every_single_fault_is_counted_once() -> None:
    """Drops each response in turn; none can hide."""
    for step, words in enumerate(golden()):
        for word in words.tolist():
            rtl = golden()
            drop(rtl, step, word)
            result = compare_image(STEPS, golden(), rtl)
            assert result.mismatched_spikes + result.mismatched_membranes == 1, (step, word)


def test_a_chip_of_which_everything_is_wrong_is_counted_too() -> None:
    """No count of it may take a step through all flits for each flit."""
    right, wrong = (
        [NOTHING] * READ_BACK
        + [
            flits(
                *(
                    membrane(core % 8, core // 8, n, value)
                    for core in range(64)
                    for n in range(1024)
                )
            )
        ]
        for value in (1, 2)
    )
    result = compare_image(STEPS, right, wrong)
    assert (result.membranes, result.mismatched_membranes) == (65536, 65536)
    assert str(result.first).endswith("core (0, 0), neuron 0: membrane, expected 1, got 2")


def test_nothing_compared_is_not_equal() -> None:
    assert not compare_image(STEPS, [NOTHING] * 6, [NOTHING] * 6).equal
    assert not Comparison().equal


def test_a_step_without_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare_image(STEPS, golden(), golden()[:-1])
    with pytest.raises(ValueError, match="shorter"):
        compare_images([STEPS] * 2, [golden()] * 2, [golden()])
