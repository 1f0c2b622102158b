"""The wheel, as a user installs it: all of the project is in it, and it starts wherever it lies."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import foreign_packages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PACKAGES = ("hw", "sw", "cosim")
OTHERS = {"nc64c.py", "checkpoints/digits.safetensors"}
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", ".*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the wheel was unpacked; it was built from a copy, by way of an sdist."""
    copy, built = (tmp_path_factory.mktemp(name) for name in ("copy", "built"))
    for name in (*PACKAGES, "checkpoints"):
        shutil.copytree(ROOT / name, copy / name, ignore=NOT_SHIPPED)
    for name in ("nc64c.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(built)!r})"
    run([sys.executable, "-c", build], copy)
    (sdist,) = built.iterdir()
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", ".", str(sdist)], built)
    (path,) = built.glob("*.whl")
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints in a folder."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def nc64c(*arguments: str, cwd: Path, path: tuple[Path, ...]) -> str:
    """What `nc64c` prints; `path` is its PYTHONPATH."""
    places = os.pathsep.join(map(str, path))
    return run([sys.executable, "-m", "nc64c", *arguments], cwd, PYTHONPATH=places)


def files(folder: Path, parts: tuple[str, ...]) -> set[str]:
    """What lies in some parts of a folder, as paths within it."""
    found = (path for part in parts for path in (folder / part).rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix() for path in found}
    return {name for name in names if "__pycache__" not in name and "/." not in name}


def test_all_of_the_packages_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    shipped = {name for name in files(wheel, (".",)) if not name.startswith("nc64c-")}
    assert shipped == files(ROOT, PACKAGES) | OTHERS
    assert all((wheel / name).read_bytes() == (ROOT / name).read_bytes() for name in OTHERS)


def test_the_wheel_starts_from_elsewhere(wheel: Path, tmp_path: Path) -> None:
    assert nc64c("--version", cwd=tmp_path, path=(wheel,)).startswith("nc64c 0.")
    assert "demo" in nc64c("--help", cwd=tmp_path, path=(wheel,))


def test_the_wheel_has_a_network_of_its_own(wheel: Path, tmp_path: Path) -> None:
    code = "from sw.files.paths import DIGITS_CHECKPOINT; print(DIGITS_CHECKPOINT)"
    found = run([sys.executable, "-c", code], tmp_path, PYTHONPATH=str(wheel))
    assert found.strip() == str(wheel / "checkpoints" / "digits.safetensors")
    assert "conv2" in nc64c("map", cwd=tmp_path, path=(wheel,))


def test_foreign_packages_of_our_names_are_passed_over(wheel: Path, tmp_path: Path) -> None:
    foreign = foreign_packages(tmp_path)
    assert "demo" in nc64c("--help", cwd=foreign, path=(foreign, wheel))
    assert "conv2" in nc64c("map", cwd=foreign, path=(foreign, wheel))


def test_the_foreign_packages_would_come_first(wheel: Path, tmp_path: Path) -> None:
    foreign = foreign_packages(tmp_path)
    code = "import cosim.cli.app"
    places = os.pathsep.join(map(str, (foreign, wheel)))
    with pytest.raises(AssertionError, match="a foreign package"):
        run([sys.executable, "-c", code], foreign, PYTHONPATH=places)
