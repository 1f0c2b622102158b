"""The architecture's rules: which room may import which, and how large rooms and files may be.

The contracts stand in pyproject.toml; here it is shown that they hold, and that they are not idle.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("hw", "sw", "cosim")
MAX_LINES, MAX_ENTRIES, MAX_ROOMS = 300, 10, 12  # rooms: folders at the top of hw, sw and cosim


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache"], cwd=root, capture_output=True, text=True, check=False
    )


def test_every_import_goes_down() -> None:
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "line", "broken"),
    [
        ("sw/common/errors.py", "import json", False),
        ("hw/core/core.py", "import hw.mesh.router", True),
        ("hw/core/core.py", "import cosim.golden.chip", True),
        ("hw/spec.py", "import numpy", True),
        ("sw/train/loop.py", "import hw.spec", True),
        ("sw/model/lif.py", "import sw.train.loop", True),
        ("cosim/golden/chip.py", "import cosim.rtl.simulation", True),
        ("cosim/golden/cores/soma.py", "import torch", True),
        ("cosim/mapping/resident.py", "import cosim.golden.chip", True),
        ("cosim/compare/chips.py", "import cosim.mapping.resident", True),
        ("cosim/compare/chips.py", "import hw.mesh.router", True),
        ("cosim/report/page.py", "import cosim.experiment.shard", True),
        ("cosim/program/program.py", "import cosim.cli.app", True),
    ],
)
def test_a_wrong_import_is_caught(path: str, line: str, broken: bool, tmp_path: Path) -> None:
    for source in (path for name in SOURCES for path in (ROOT / name).rglob("*.py")):
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(source)
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    changed = (ROOT / path).read_text() + f"\n{line}\n"
    (tmp_path / path).unlink()
    (tmp_path / path).write_text(changed)
    done = lint_imports(tmp_path)
    assert ("BROKEN" in done.stdout) == broken, done.stdout + done.stderr
    assert done.returncode == broken, done.stdout + done.stderr


def modules() -> Iterator[Path]:
    for name in SOURCES:
        yield from sorted((ROOT / name).rglob("*.py"))


@pytest.mark.slow
def test_no_name_is_imported_from_where_it_is_not_defined() -> None:
    """No re-exports: a reader who follows an import is where the thing is."""
    trees = {path: ast.parse(path.read_text()) for path in modules()}
    by_name = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): path for path in trees
    }
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in by_name:
                defined = names_of(trees[by_name[node.module]])
                missing = [alias.name for alias in node.names if alias.name not in defined]
                assert not missing, f"{path}: {node.module} does not define {missing}"


def names_of(tree: ast.Module) -> set[str]:
    """What a module defines itself."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_no_test_module_imports_another() -> None:
    """What several of them need stands in tests/support."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for name in imports_of(ast.parse(path.read_text())):
            inside = name.startswith("tests.") and ".test_" in name
            assert not inside, f"{path.relative_to(ROOT)} imports {name}"


def imports_of(tree: ast.Module) -> Iterator[str]:
    """What a module imports, with dots: modules, and names from modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_files_and_rooms_are_small() -> None:
    for path in modules():
        lines = len(path.read_text().splitlines())
        assert lines <= MAX_LINES, f"{path.relative_to(ROOT)} has {lines} lines"
    folders = [path for name in SOURCES for path in (ROOT / name, *(ROOT / name).rglob("*"))]
    for folder in (path for path in folders if path.is_dir() and path.name != "__pycache__"):
        entries = [
            path for path in folder.iterdir() if path.name not in ("__init__.py", "__pycache__")
        ]
        most = MAX_ROOMS if folder.parent == ROOT else MAX_ENTRIES
        assert len(entries) <= most, f"{folder.relative_to(ROOT)} has {len(entries)} entries"


def test_every_room_says_what_it_owns() -> None:
    for path in modules():
        if path.name == "__init__.py":
            charter = ast.get_docstring(ast.parse(path.read_text()))
            assert charter, path
            assert len(charter.splitlines()) <= 5, path
        else:
            assert (path.parent / "__init__.py").exists(), path.parent
