"""The commands when all goes well, when chips differ and when they are interrupted.

The RTL is replaced here; `test_cli_rtl.py` has the real one, `test_cli_errors.py` bad input.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from cosim.cli.findings import triage
from cosim.experiment import run, worker
from cosim.program.program import Program
from cosim.program.runner import Advance, Stimulus, unheard
from cosim.program.runner import Run as ChipRun
from cosim.record import record
from cosim.rtl.choice import OURS, Choice
from hw.spec import ChipShape
from tests.support.cli import SMALL_CHIP, dead_checkpoint, nc64c, small_checkpoint
from tests.support.records import changed, make_run
from tests.support.subjects import FakeRtl, Responses

COMMANDS = (
    "demo",
    "cosim",
    "report",
    "noise",
    "table5",
    "map",
    "attack",
    "train",
    "verilog",
    "verify",
    "fuzz",
    "replay",
    "waves",
    "ranc",
    "check",
    "doctor",
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_checkpoint(tmp_path)


HERE = ("--jobs", "1", *SMALL_CHIP)  # in this process, where the RTL is replaced


@pytest.fixture
def fake_rtl(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeRtl], None]:
    def put(rtl: FakeRtl) -> None:
        monkeypatch.setattr(run, "prepare", lambda *_: 0.0)
        monkeypatch.setattr(triage, "after", lambda *_: False)  # it would run the real one
        monkeypatch.setattr(worker, "_rtl", lambda *_: rtl)

    return put


# ---------------------------------------------------------------- help
def test_help_lists_all_commands() -> None:
    result = nc64c("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str) -> None:
    result = nc64c(command, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?: nc64c {command}\b", result.stdout)


def test_help_needs_no_torch() -> None:
    code = "import sys; from cosim import cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_version() -> None:
    result = nc64c("--version")
    assert (result.exit_code, result.output) == (0, f"nc64c {version('nc64c')}\n")


# ---------------------------------------------------------------- runs
@pytest.mark.slow
def test_a_short_demo(
    tmp_path: Path, fake_rtl: Callable[[FakeRtl], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fake_rtl(FakeRtl())
    result = nc64c("demo", "--images", "1", "--jobs", "1")
    assert result.exit_code == 0, result.output
    summary = json.loads(Path("out/demo/summary.json").read_text())
    assert (summary["images"], len(summary["sets"])) == (1, 4)


def test_equal_chips(small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]) -> None:
    fake_rtl(FakeRtl())
    out = tmp_path / "new" / "out"
    result = nc64c("cosim", "--checkpoint", small, "--out", out, "--images", "3", *HERE)
    assert result.exit_code == 0, result.output
    assert "RTL equals golden" in result.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "images",
        "report.html",
        "run.json",
        "shards",
        "summary.json",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["images"] == 3
    assert list(summary["sets"]) == ["clean", "fgsm_2", "fgsm_8", "fgsm_16"]
    assert record.load(out).facts.checkpoint.startswith(str(small))


def lose_a_spike(responses: Responses) -> None:
    step = next(n for n, flits in enumerate(responses[1]) if len(flits))
    responses[1][step] = responses[1][step][1:]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_mismatch_is_exit_code_1_and_named(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None], quiet: list[str]
) -> None:
    fake_rtl(FakeRtl(lose_a_spike))
    out = tmp_path / "out"
    arguments = ["--checkpoint", small, "--out", out, "--images", "3", "--sets", "clean"]
    result = nc64c("cosim", *arguments, *HERE, *quiet)
    assert result.exit_code == 1
    assert "RTL differs from golden: 1 spikes and 0 membranes" in result.stderr
    assert re.search(
        r"first in clean: image 1, tick \d, core \(\d, \d\), neuron \d+", result.stderr
    )
    assert (out / "report.html").exists()


@pytest.mark.slow
def test_same_seed_same_summary(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    fake_rtl(FakeRtl())
    summaries = []
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        arguments = ["--out", tmp_path / name, "--seed", seed, "--images", "9", *HERE]
        assert nc64c("cosim", "--checkpoint", small, *arguments).exit_code == 0
        summaries.append((tmp_path / name / "summary.json").read_text())
        assert len(list((tmp_path / name / "shards").iterdir())) == 4
    assert summaries[0] == summaries[1]
    assert summaries[0] != summaries[2]


@pytest.mark.slow
def test_noise_leaves_its_files(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    fake_rtl(FakeRtl())
    out, rest = (
        tmp_path / "out",
        ["--images", "3", "--golden-images", "5", "--sets", "clean,fgsm_8"],
    )
    result = nc64c("noise", "--bits", "0,12", "--checkpoint", small, "--out", out, *rest, *HERE)
    assert result.exit_code == 0, result.output
    assert "| 12 | 4095 (" in result.stdout
    files = ["images", "noise.json", "noise.md", "noise.png", "noise.svg", "shards"]
    assert sorted(path.name for path in out.iterdir()) == files
    rows = json.loads((out / "noise.json").read_text())["rows"]
    assert [row["bits"] for row in rows] == [0, 12]
    assert len(list((out / "shards").iterdir())) == 2 * 2 * 2


def test_noise_names_what_differs(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    fake_rtl(FakeRtl(lose_a_spike))
    rest = ["--images", "3", "--sets", "clean", "--out", tmp_path / "out"]
    result = nc64c("noise", "--bits", "8", "--checkpoint", small, *rest, *HERE)
    assert result.exit_code == 1
    assert "8 bits of noise: first in clean: image 1, tick" in result.stderr


def test_table5_of_a_run(tmp_path: Path) -> None:
    record.save(tmp_path, make_run())
    out = tmp_path / "results"
    result = nc64c("table5", tmp_path, "--out", out)
    assert result.exit_code == 0, result.output
    assert "the paper, hardware minus algorithm" in result.stdout
    assert sorted(path.suffix for path in out.iterdir()) == [".json", ".md", ".png", ".svg"]


def test_report_renders_again(tmp_path: Path) -> None:
    record.save(tmp_path, make_run())
    result = nc64c("report", tmp_path)
    assert result.exit_code == 0, result.output
    assert "RTL equals golden" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "summary.json").read_text())["images"] == 200


def test_report_of_a_mismatch_is_exit_code_1(tmp_path: Path) -> None:
    record.save(tmp_path, changed(make_run(), {"sets.clean.mismatched_membranes": 1}))
    assert nc64c("report", tmp_path).exit_code == 1


def test_map_shows_use_per_layer(small: Path) -> None:
    result = nc64c("map", "--checkpoint", small, *SMALL_CHIP)
    assert result.exit_code == 0, result.output
    for word in ("conv2", "fc1", "fc2", "total", "cores", "neurons", "dendrites", "axons"):
        assert word in result.stdout
    assert "resident" in result.stdout
    assert "schedule" not in result.stdout


def test_map_shows_the_schedule_of_what_does_not_fit(small: Path) -> None:
    chip = ("--mesh", "2x2", "--axons", "128", "--dendrites", "64")
    result = nc64c("map", "--checkpoint", small, *chip)
    assert result.exit_code == 0, result.output
    words = ("streamed", "schedule", "conv2", "fc1", "passes", "cycles", "at once", "rounds")
    for word in words:
        assert word in " ".join(result.stdout.split())
    assert "total" not in result.stdout


def test_attack_writes_sets_within_eps(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "sets.safetensors"
    arguments = ["--images", "6", "--sets", "clean,fgsm_8", "--out", out]
    result = nc64c("attack", "--checkpoint", small, *arguments)
    assert result.exit_code == 0, result.output
    with safe_open(out, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    clean, attacked = arrays["clean.images"].astype(int), arrays["fgsm_8.images"].astype(int)
    assert clean.shape == (6, 1, 8, 8)
    assert np.abs(clean - attacked).max() == 8
    assert arrays["labels"].shape == arrays["fgsm_8.predictions"].shape == (6,)


def figures_of(folder: Path) -> dict[str, Any]:
    """What a run says of its sets and losses."""
    found = json.loads((folder / "summary.json").read_text())
    return {name: found[name] for name in ("sets", "adv_loss", "level_images")}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pgd", "rfgsm", "targeted"])
def test_an_image_is_attacked_the_same_however_the_run_is_cut(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None], kind: str
) -> None:
    """30 images of which 30, 10 or 1 go through the RTL: 1 or 2 shards, one stimulus."""
    found = []
    for rtl in (30, 10, 1):
        fake_rtl(FakeRtl())
        counts = ["--images", rtl, "--golden-images", 30, "--sets", f"clean,{kind}_8"]
        out = tmp_path / str(rtl)
        result = nc64c("cosim", "--checkpoint", small, "--out", out, *counts, *HERE)
        assert result.exit_code == 0, result.output
        chosen = figures_of(out)["sets"][f"{kind}_8"]
        found.append((chosen["images_sha256"], chosen["accuracy"]["golden"]))
    assert found[0] == found[1] == found[2]


@pytest.mark.slow
def test_a_file_of_attack_is_replayed_at_all_levels(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    """The same figures as where the images were made; some sets and images of it, too."""
    fake_rtl(FakeRtl())
    file, sets = tmp_path / "made.safetensors", "clean,pgd_8,fgsm_16"
    chosen = ["--checkpoint", small, "--seed", 3, "--images", 6, "--sets", sets]
    assert nc64c("attack", *chosen, "--out", file).exit_code == 0
    made, again, part = (tmp_path / name for name in ("made", "again", "part"))
    assert nc64c("cosim", *chosen, "--out", made, *HERE).exit_code == 0
    replay = ["--checkpoint", small, "--replay", file, "--seed", 3]
    result = nc64c("cosim", *replay, "--out", again, *HERE)
    assert result.exit_code == 0, result.output
    assert f"imagesof{file}" in "".join(result.stdout.split())  # the title may be on several lines
    assert figures_of(again) == figures_of(made)
    assert not (again / "images").exists()
    fewer = ["--images", 2, "--golden-images", 4, "--sets", "pgd_8"]
    assert nc64c("cosim", *replay, *fewer, "--out", part, *HERE).exit_code == 0
    few, many = record.load(part).sets["pgd_8"], record.load(made).sets["pgd_8"]
    assert few.predictions["golden"] == many.predictions["golden"][:4]
    assert len(few.predictions["rtl"]) == 2


def test_a_file_that_a_run_kept_is_replayed(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    fake_rtl(FakeRtl())
    made, again = tmp_path / "made", tmp_path / "again"
    chosen = ["--checkpoint", small, "--images", 4, "--sets", "clean,pgd_8"]
    assert nc64c("cosim", *chosen, "--out", made, *HERE).exit_code == 0
    (kept,) = (made / "images").glob("pgd_8-*.safetensors")
    replay = ["--checkpoint", small, "--replay", kept, "--out", again]
    assert nc64c("cosim", *replay, *HERE).exit_code == 0
    expected = {"pgd_8": figures_of(made)["sets"]["pgd_8"]}
    assert figures_of(again)["sets"] == expected


@pytest.mark.slow
def test_a_dead_network_is_not_green(tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]) -> None:
    """It differs nowhere and loses nothing: the console, the page and the code say why."""
    fake_rtl(FakeRtl())
    dead, out = dead_checkpoint(tmp_path), tmp_path / "out"
    chosen = ["--checkpoint", dead, "--images", 3, "--sets", "clean,fgsm_8,pgd_8"]
    result = nc64c("cosim", *chosen, "--out", out, *HERE)
    assert result.exit_code == 0, result.output
    said = " ".join(result.stderr.split())
    assert "0 spikes compared: nothing was tested" in said
    for name in ("fgsm_8", "pgd_8"):
        assert f"{name}: the gradient is zero for all 3 images" in said
    assert "RTL equals golden" not in result.output
    page = (out / "report.html").read_text()
    assert 'class="verdict empty"' in page
    assert "NOTHING TESTED" in page
    assert "the gradient is zero for all 3 images" in page
    summary = json.loads((out / "summary.json").read_text())
    zero = {name: one["zero_gradients"] for name, one in summary["sets"].items()}
    assert zero == {"clean": 0, "fgsm_8": 3, "pgd_8": 3}
    result = nc64c("attack", *chosen, "--out", tmp_path / "file")
    assert "fgsm_8: the gradient is zero for all 3 images" in result.stderr
    result = nc64c("table5", out)
    assert "nothing was tested there" in result.stdout
    fake_rtl(FakeRtl())
    result = nc64c("noise", "--bits", "8", *chosen, "--out", tmp_path / "noise", *HERE)
    assert "8 bits: 0 spikes compared in clean, fgsm_8, pgd_8" in result.stdout


# ---------------------------------------------------------------- interrupted
class Interrupted(FakeRtl):
    """Cut off in its third shard."""

    shards = 0

    def run(
        self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
    ) -> ChipRun:
        self.shards += 1
        if self.shards == 3:
            raise KeyboardInterrupt
        return super().run(program, stimuli, advance)


def test_ctrl_c_says_what_was_finished(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    """And the same command goes on from there, to what comes out without a break."""
    out, arguments = tmp_path / "out", ["--checkpoint", small, "--images", "3", *HERE]
    fake_rtl(Interrupted())
    result = nc64c("cosim", "--out", out, *arguments)
    assert result.exit_code == 130
    assert result.stderr.replace("\n", " ") == (
        f"Interrupted; finished shards are in {out / 'shards'}: the same command goes on from "
        "there. Finished: Verilator build, attacks; shards: 2 of 4 shards. "
    )
    assert sorted(path.name for path in out.iterdir()) == ["images", "shards"]
    rtl = FakeRtl()
    fake_rtl(rtl)
    result = nc64c("cosim", "--out", out, *arguments)
    assert result.exit_code == 0, result.output
    assert "4 shards, 2 of them finished before" in result.stdout
    assert len(rtl.seen) == 2 * 3
    assert nc64c("cosim", "--out", tmp_path / "whole", *arguments).exit_code == 0
    whole = (tmp_path / "whole" / "summary.json").read_text()
    assert (out / "summary.json").read_text() == whole


def test_ctrl_c_before_the_first_shard(
    small: Path, tmp_path: Path, fake_rtl: Callable[[FakeRtl], None]
) -> None:
    rtl = Interrupted()
    rtl.shards = 2
    fake_rtl(rtl)
    out = tmp_path / "out"
    result = nc64c("cosim", "--out", out, "--checkpoint", small, "--images", "3", *HERE)
    assert result.exit_code == 130
    assert result.stderr.replace("\n", " ") == (
        f"Interrupted; finished images are in {out / 'images'}: the same command goes on from "
        "there. Finished: Verilator build, attacks. "
    )
    assert [path.name for path in out.iterdir()] == ["images"]


def test_chip_sizes_reach_the_build(small: Path, tmp_path: Path) -> None:
    seen: list[object] = []

    def rtl(choice: Choice, shape: ChipShape, front_door: bool) -> FakeRtl:
        seen.append((choice, shape, front_door))
        return FakeRtl()

    def prepare(choice: Choice, shape: ChipShape) -> float:
        seen.append((choice, shape))
        return 0.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "prepare", prepare)
        patch.setattr(worker, "_rtl", rtl)
        arguments = ["--out", tmp_path / "out", "--images", "1", "--sets", "clean", "--front-door"]
        assert nc64c("cosim", "--checkpoint", small, *arguments, *HERE).exit_code == 0
    shape = ChipShape(3, 2, 256, 256)
    assert seen == [(OURS, shape), (OURS, shape, True)]
