"""RANC's programs on the golden model: random ones against RANC's rules in plain loops."""

from pathlib import Path

import pytest

from cosim.golden.runner import GoldenRunner
from cosim.mapping.ranc.grid import wanted
from cosim.mapping.ranc.network import read_network
from cosim.mapping.ranc.translate import Packets, Translation, packets, translate
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.ranc import (
    Neuron,
    Ranc,
    Wraps,
    answers,
    chain,
    expect,
    random_program,
    write,
)

SMALL = ChipShape(2, 2, 128, 64)


def translated(folder: Path, program: Ranc) -> Translation:
    asked = wanted(program.grid, program.output_place)
    return translate(read_network(write(folder, program), asked), SMALL)


def on_golden(translation: Translation) -> Packets:
    run = GoldenRunner().run(translation.program, [translation.stimulus])
    return packets(translation, run.responses[0])


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_send_what_rancs_rules_send(seed: int, tmp_path: Path) -> None:
    program = random_program(seed)
    try:
        expect(program)
    except Wraps:
        program.expected = [[0]]
        with pytest.raises(InputError, match="and wraps"):
            translated(tmp_path, program)
        return
    if not any(program.expected):
        with pytest.raises(InputError, match=r"tb_correct\.txt has no words"):
            translated(tmp_path, program)
        return
    found = on_golden(translated(tmp_path, program))
    assert found.all, found.first
    assert found.reproduced == found.expected == sum(map(len, program.expected))


def test_most_random_programs_do_something() -> None:
    """So that the test above tests something."""
    sent = 0
    for seed in range(40):
        try:
            sent += any(expect(random_program(seed)).expected)
        except Wraps:
            continue
    assert sent > 25


WIDE = ChipShape(4, 2, 128, 64)


def read(folder: Path, program: Ranc) -> Translation:
    """As it is without options: the grid is found out."""
    return translate(read_network(write(folder, program), wanted(None, None)), WIDE)


def test_the_grid_and_the_latency_are_found_out(tmp_path: Path) -> None:
    translation = read(tmp_path, expect(chain()))
    grid = translation.network.grid
    assert (grid.columns, grid.rows, grid.output) == (3, 1, 2)
    assert translation.network.latency == 1
    assert translation.ticks == 4
    found = on_golden(translation)
    assert (found.expected, found.reproduced, found.surplus, found.first) == (2, 2, 0, "")


def test_ticks_without_packets_may_be_left_out(tmp_path: Path) -> None:
    program = chain()
    program.sent = [[(0, 0, 0, 0), (0, 0, 0, 5)]]
    program.expected = [group for group in answers(program, 9) if group]
    assert len(program.expected) == 2
    translation = read(tmp_path, program)
    assert translation.ticks == 7
    assert on_golden(translation).all


def test_a_difference_names_group_tick_and_axon(tmp_path: Path) -> None:
    program = expect(chain())
    program.expected[1] = [4]
    found = on_golden(read(tmp_path, program))
    assert (found.expected, found.reproduced, found.surplus) == (2, 1, 1)
    assert found.first == (
        "group 2 of tb_correct.txt, tick 2: a packet to axon 3 came and was not expected"
    )
    program.expected = [[3], [3, 3], []]
    found = on_golden(read(tmp_path, program))
    assert (found.expected, found.reproduced, found.surplus) == (3, 2, 0)
    assert found.first.endswith("a packet to axon 3 was expected and did not come")


@pytest.mark.parametrize(
    ("neuron", "words"),
    [
        ({"potential": 3}, "potential 3 at the start"),
        ({"reset": 2}, "hard reset to 2, must be to 0"),
        ({"negative": -4}, "hard reset at a negative threshold of -4"),
        ({"negative": -4, "mode": 1}, "linear reset at a negative threshold of -4"),
        ({"negative": 5}, "negative threshold of 5"),
        ({"delay": 2}, "a delay of 2 ticks"),
    ],
    ids=str,
)
def test_what_ours_cannot_express_is_named(
    neuron: dict[str, int], words: str, tmp_path: Path
) -> None:
    program = chain(**neuron)
    program.expected = [[3]]
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, program)
    place = f"{tmp_path / 'csram_000.mem'}: core 0 at (0, 0), neuron 1: "
    assert str(caught.value).startswith(place)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "neuron",
    [
        {"negative": -256},  # 9 bits do not go below
        {"negative": -4, "weights": [1, 1, 2, 2]},  # nothing ever subtracts
        {"reset": 2, "mode": 1},  # a linear reset does not use it
        {"dx": 2, "delay": 3},  # the output core does not look at it
    ],
    ids=str,
)
def test_what_never_matters_is_not_refused(
    neuron: dict[str, int | list[int]], tmp_path: Path
) -> None:
    program = chain(**neuron)  # type: ignore[arg-type]
    if "dx" in neuron:
        program.cores[0].neurons.append(Neuron(axons=[7], dx=1, axon=5))
    found = on_golden(read(tmp_path, expect(program)))
    assert found.all
    assert found.expected > 0


def test_a_core_has_one_floor_and_one_reset_mode(tmp_path: Path) -> None:
    program = chain()
    program.expected = [[3]]
    program.cores[0].neurons[0] = Neuron(axons=[3], mode=1, dx=1)
    with pytest.raises(InputError, match=r"neurons 1 and 0: hard and linear reset"):
        read(tmp_path, program)
    program.cores[0].neurons[0] = Neuron(axons=[3], negative=-256, dx=1)
    with pytest.raises(InputError, match=r"neurons 1 and 0: one is kept from below 0"):
        read(tmp_path, program)


def test_planes_are_the_weights_or_powers_of_two(tmp_path: Path) -> None:
    program = chain(weights=[3, -5, 6, 7])  # type: ignore[arg-type]
    program.cores[0].neurons[0] = Neuron(axons=[0, 1, 2, 3], weights=[1, 2, -4, -3], dx=1)
    cores = {core.number: core for core in read(tmp_path, expect(program)).program.cores}
    assert sorted(cores[0].plane_weights) == [-8, 1, 2, 4]
    assert cores[1].plane_weights == (1,)
    assert on_golden(read(tmp_path, program)).all


def test_more_planes_than_dendrites_are_refused(tmp_path: Path) -> None:
    program = chain()
    many = [Neuron(axons=[0, 1, 2, 3], weights=[1, 2, 100, -100], dx=1) for _ in range(30)]
    program.cores[0].neurons = many
    program.expected = [[3]]
    with pytest.raises(InputError, match="30 neurons of 4 different weights need 4 planes each"):
        read(tmp_path, program)
