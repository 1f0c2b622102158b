"""A core that is not ours goes wrong: the folder has the waves of the signals that it has."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from cosim.rtl.design.design import Design, Sources, read
from cosim.rtl.design.verilog import chip_files
from cosim.rtl.icarus import icarus, waves
from cosim.verify.triage.folder import triage
from cosim.verify.triage.rules import Rule
from tests.support.bugs import SHAPE, busy_failure
from tests.support.foreign import CORE, FOLDER

pytestmark = [
    pytest.mark.rtl,
    pytest.mark.skipif(not icarus.installed(), reason="Icarus Verilog is not installed"),
]
RIGHT, WRONG = "fired = v >= limit", "fired = v > limit"


@pytest.fixture
def wrong_core(tmp_path: Path) -> Design:
    """The core of tests/foreign with a wrong compare."""
    text = CORE.read_text()
    assert text.count(RIGHT) == 1
    for path in FOLDER.glob("*.svh"):
        (tmp_path / path.name).write_text(path.read_text())
    file = tmp_path / CORE.name
    file.write_text(text.replace(RIGHT, WRONG))
    parameters = (f"AXONS={SHAPE.axons}", f"DENDRITES={SHAPE.dendrites}")
    return read(Sources((file,), "event_core", core=True, parameters=parameters), icarus=True)


def as_chip(core: Design) -> Design:
    """The same inside our mesh, as one chip of a user's."""
    return Design("nc64c_chip", core=False, text=b"\n".join(chip_files(SHAPE, core).values()))


def signals(fst: Path) -> dict[str, set[Any]]:
    """What each signal has been, by its name within the chip."""
    every = importlib.import_module("pywellen").Waveform(str(fst)).all_vars()
    return {each.full_name.partition("chip.")[2]: {value for _, value in each.tv} for each in every}


@pytest.mark.parametrize("most", [waves.MOST_BYTES, 0])
@pytest.mark.parametrize("whole", [False, True])
def test_its_signals_are_recorded(
    whole: bool, most: int, wrong_core: Design, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, or the pins alone where they would be too many."""
    monkeypatch.setattr(waves, "MOST_BYTES", most)
    design = as_chip(wrong_core) if whole else wrong_core
    found = triage(
        busy_failure(), lambda trace: icarus.runner(SHAPE, design, trace), tmp_path / "out"
    )
    assert found is not None
    assert found.rule is Rule.FIRE
    folder = tmp_path / "out" / "mismatch"
    names = {path.name for path in folder.iterdir()}
    assert names == {"rtl.fst", "explanation.txt", "terms.txt", "replay.txt"}
    words = (folder / "explanation.txt").read_text()
    assert "golden.vcd could not be made: rtl.fst has not the signals of hw/" in words
    assert f"First wrong answer to the host: MEMBRANE {found.at.offset} of core" in words
    assert "soma" not in words
    core = f"tile_{found.at.x}_{found.at.y}.tile.core.core"
    recorded = signals(folder / "rtl.fst")
    pins = ("go", "host_out__0__valid") if whole else (f"{core}.go", f"{core}.outbound__valid")
    for pin in pins:
        assert {0, 1} <= recorded[pin], sorted(recorded)
    assert (f"{core}.state" in recorded) == bool(most), sorted(recorded)
    assert (folder / "rtl.fst").stat().st_size < 1 << 20
