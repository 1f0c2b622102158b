"""RANC's programs on golden model and RTL, and what `nc64c ranc` says of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from cosim.golden.runner import GoldenRunner
from cosim.mapping.ranc.grid import wanted
from cosim.mapping.ranc.network import read_network
from cosim.mapping.ranc.translate import translate
from cosim.program.program import Program
from cosim.program.runner import Advance, Run, Stimulus, unheard
from cosim.verify.ranc import run_ranc
from hw.spec import ChipShape
from tests.support.cli import nc64c
from tests.support.ranc import Ranc, expect, random_program, write

SEEDS = (1, 2, 5)  # none of them wraps, and all send packets
CHIP = ("--mesh", "2x2", "--axons", "128", "--dendrites", "64")


def options(folder: Path, program: Ranc) -> list[object]:
    return [write(folder, program), "--grid", program.grid, "--output", program.output_place, *CHIP]


@pytest.mark.rtl
@pytest.mark.parametrize("seed", SEEDS)
def test_golden_and_rtl_send_what_the_files_expect(seed: int, tmp_path: Path) -> None:
    program = expect(random_program(seed))
    count = sum(map(len, program.expected))
    done = nc64c("ranc", *options(tmp_path / "in", program), "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "0 mismatches" in done.stdout
    assert f"RTL: {count} of {count} packets" in done.stdout
    document = json.loads((tmp_path / "out" / "ranc.json").read_bytes())
    assert document["rtl"] == document["golden"]
    assert document["rtl"]["reproduced"] == count > 0
    assert document["compared_spikes"] >= count


@pytest.mark.rtl
def test_other_packets_than_expected_are_code_4(tmp_path: Path) -> None:
    program = expect(random_program(SEEDS[0]))
    group = next(group for group in program.expected if group)
    group[0] = (group[0] + 1) % 16
    done = nc64c("ranc", *options(tmp_path, program))
    assert done.exit_code == 4, done.output
    assert "0 mismatches" in done.stdout
    assert "first difference: group" in done.stdout


def test_bad_input_is_code_2_and_writes_nothing(tmp_path: Path) -> None:
    program = expect(random_program(SEEDS[0]))
    program.cores[min(program.cores)].neurons[0].delay = 1
    program.cores[min(program.cores)].neurons[0].dx = 0
    program.cores[min(program.cores)].neurons[0].dy = 0
    done = nc64c("ranc", *options(tmp_path / "in", program), "--out", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert "a delay of 1 ticks" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


class Deaf(GoldenRunner):
    """A chip that loses the first flit of every third step."""

    def run(self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard) -> Run:
        run = super().run(program, stimuli, advance)
        for response in run.responses:
            response[::3] = [flits[1:] for flits in response[::3]]
        return run


def test_a_wrong_chip_differs_from_golden(tmp_path: Path) -> None:
    program = expect(random_program(SEEDS[0]))
    network = read_network(write(tmp_path, program), wanted(program.grid, program.output_place))
    result = run_ranc(translate(network, ChipShape(2, 2, 128, 64)), Deaf())
    assert not result.comparison.equal
    assert result.golden.all
    assert any("first mismatch of RTL and golden: image 0, tick" in each for each in result.lines())
