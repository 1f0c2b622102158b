"""When simulators are built and when they are found, with a small script in their stead."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cosim.experiment import worker
from cosim.program.errors import Mismatch, SimulationError
from cosim.program.stimulus import Step
from cosim.rtl.played import STEP_END
from cosim.rtl.simulation import RtlChip
from cosim.rtl.simulator import build as simulator
from cosim.rtl.simulator import cache
from cosim.rtl.simulator.build import BENCH_SOURCES, Recipe, Simulator, build, content_key
from cosim.rtl.simulator.cache import FOLDER, SIMULATOR
from cosim.rtl.simulator.verilate import find_compiler
from hw.formats import Field
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.files import sources
from tests.support.cli import SMALL_CHIP, nc64c, small_checkpoint
from tests.support.rights import open_folder, ordinary_user

pytestmark = pytest.mark.rtl

SHAPE = ChipShape(columns=1, rows=1, axons=64, dendrites=64)
ROOT = Path(__file__).parents[4]
SCRIPT = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """What was built."""
    found: list[Recipe] = []

    def compile_(recipe: Recipe, work: Path) -> Path:
        found.append(recipe)
        (work / "built").write_text(SCRIPT)
        return work / "built"

    monkeypatch.setattr(simulator, "_compile", compile_)
    return found


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache's folder."""
    worker._rtl.cache_clear()
    with open_folder() as folder:
        monkeypatch.setenv(FOLDER, str(folder))
        yield folder
    worker._rtl.cache_clear()


def without_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_built_once(builds: list[Recipe], place: Path) -> None:
    first, second = build(SHAPE), build(SHAPE)
    assert len(builds) == 1
    assert first.build_s > 0
    assert second.build_s == 0
    assert first.executable == second.executable
    assert first.executable.is_relative_to(place)


@pytest.mark.parametrize("name", ["a b", "$HOME", "quote'", "ünï", "semi;colon", "#"])
def test_a_cache_of_any_name(
    name: str, builds: list[Recipe], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(place / name))
    assert build(SHAPE).executable.read_text() == SCRIPT
    assert build(SHAPE).executable.is_relative_to(place / name)
    assert len(builds) == 1


def test_a_relative_cache_and_no_home(
    builds: list[Recipe], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv(FOLDER, "here")
    monkeypatch.delenv("HOME")
    executable = build(SHAPE).executable
    monkeypatch.chdir("/")
    assert executable.read_text() == SCRIPT


def test_what_was_damaged_is_built_again(builds: list[Recipe], place: Path) -> None:
    executable = build(SHAPE).executable
    executable.write_bytes(b"")
    assert build(SHAPE).executable.read_text() == SCRIPT
    executable.chmod(0o644)
    assert os.access(build(SHAPE).executable, os.X_OK)
    assert len(builds) == 3


def test_a_warm_cache_needs_no_compiler_and_no_right_to_write(
    builds: list[Recipe], place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    executable = build(SHAPE).executable
    executable.parent.chmod(0o555)
    place.chmod(0o555)
    without_tools(monkeypatch, tmp_path)
    with ordinary_user():
        assert build(SHAPE).executable == executable
    assert len(builds) == 1


def test_what_a_read_only_cache_lacks_is_said_before_the_build(
    builds: list[Recipe], place: Path
) -> None:
    place.chmod(0o555)
    with ordinary_user(), pytest.raises(InputError, match=f"cannot write .* set {FOLDER}"):
        build(SHAPE)
    assert builds == []


def test_a_temporary_folder_unfit_for_make_is_named_before_the_build(
    builds: list[Recipe], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a b").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a b"))
    with pytest.raises(InputError, match=r"temporary folder .* has ' ' in its name.*set TMPDIR"):
        build(SHAPE)
    assert builds == []


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (None, "none of c\\+\\+, g\\+\\+, clang\\+\\+ was found"),
        ("no-such-compiler", "CXX names a C\\+\\+ compiler that is not there, `no-such-compiler`"),
        ("'g++", "a quote in it has no end"),
    ],
)
def test_no_compiler(
    named: str | None,
    words: str,
    builds: list[Recipe],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    without_tools(monkeypatch, tmp_path)
    monkeypatch.delenv("CXX", raising=False)
    if named is not None:
        monkeypatch.setenv("CXX", named)
    with pytest.raises(InputError, match=words):
        build(SHAPE)
    assert builds == []


def test_the_first_usual_compiler_that_is_there_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    without_tools(monkeypatch, tmp_path)
    for name in ("clang++", "g++", "c++"):
        (tmp_path / name).write_text(SCRIPT)
        (tmp_path / name).chmod(0o755)
        assert find_compiler() == [name]
    monkeypatch.setenv("CXX", "clang++ --flag='a b'")
    assert find_compiler() == ["clang++", "--flag=a b"]


# ---------------------------------------------------------------- what the key covers
@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what simulators are built from."""
    shutil.copytree(ROOT / "hw", tmp_path / "hw")
    shutil.copytree(ROOT / "cosim", tmp_path / "cosim")
    return tmp_path


def test_every_file_of_the_hardware_and_of_the_bench_counts(tree: Path) -> None:
    recipe = Recipe(SHAPE)
    before = content_key(recipe, tree)
    assert before == content_key(recipe)  # wherever it is
    files = [
        *sources.below(tree / "hw"),
        *(tree / "cosim" / "rtl" / name for name in BENCH_SOURCES),
    ]
    assert {path.suffix for path in files} >= {".py", ".vlt", ".sv", ".cpp"}
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert content_key(recipe, tree) != before, path
        path.write_bytes(content)
    assert content_key(recipe, tree) == before


@pytest.mark.parametrize("name", ["new.py", "new.sv", "below/new.py", "below/further/new.v"])
def test_a_new_file_of_the_hardware_counts(name: str, tree: Path) -> None:
    before = content_key(Recipe(SHAPE), tree)
    (tree / "hw" / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / "hw" / name).touch()
    assert content_key(Recipe(SHAPE), tree) != before


def test_a_name_and_a_border_between_files_count(tree: Path) -> None:
    before = content_key(Recipe(SHAPE), tree)
    (tree / "hw" / "spec.py").rename(tree / "hw" / "specs.py")
    assert content_key(Recipe(SHAPE), tree) != before
    one, other = tree / "one", tree / "other"
    one.write_text("ab")
    other.write_text("c")
    joined = sources.fingerprint([one, other], ())
    one.write_text("a")
    other.write_text("bc")
    assert sources.fingerprint([one, other], ()) != joined


def test_what_python_compiles_does_not_count(tree: Path) -> None:
    before = content_key(Recipe(SHAPE), tree)
    (tree / "hw" / "__pycache__").mkdir(exist_ok=True)
    (tree / "hw" / "__pycache__" / "core.cpython-311.pyc").write_bytes(b"x")
    assert content_key(Recipe(SHAPE), tree) == before


def test_the_recipe_the_machine_and_the_tools_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    main = tmp_path / "main.cpp"
    main.write_text("int main() {}")
    keys = [
        content_key(recipe)
        for recipe in (
            Recipe(SHAPE),
            Recipe(ChipShape(columns=2, rows=1, axons=64, dendrites=64)),
            Recipe(SHAPE, flat=True),
            Recipe(SHAPE, flat=True, waves=True),
            Recipe(SHAPE, main=main),
        )
    ]
    changes: tuple[tuple[str, object], ...] = (
        ("platform.machine", lambda: "riscv64"),
        ("platform.libc_ver", lambda: ("musl", "1")),
        ("importlib.metadata.version", lambda name: f"{name} 99"),
        ("cosim.rtl.simulator.headers.STEP_END", _moved()),
    )
    for target, value in changes:
        monkeypatch.setattr(target, value)
        keys.append(content_key(Recipe(SHAPE)))
    monkeypatch.setenv("CXX", "ccache g++")
    keys.append(content_key(Recipe(SHAPE)))
    assert len(set(keys)) == len(keys)


def _moved() -> object:
    """STEP_END with its fields a bit higher; it stands outside of hw/ and goes into the bench."""
    return [Field(field.name, field.offset + 1, field.width) for field in STEP_END]


# ---------------------------------------------------------------- simulators that end early
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("kill -9 $$", SimulationError, "killed by SIGKILL, perhaps for want of memory; its log"),
        ("kill -11 $$", SimulationError, "killed by SIGSEGV"),
        ("exit 5", SimulationError, "with exit code 5"),
        ("exit 0", SimulationError, "with exit code 0"),
        ("echo cut > response.npz; kill -9 $$", SimulationError, "killed by SIGKILL"),
        ("echo 'NC64C: not come to rest'; exit 0", Mismatch, "the RTL hangs: not come to rest"),
    ],
)
def test_a_simulator_that_ends_early(
    script: str,
    error: type[SimulationError],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = tmp_path / SIMULATOR.file
    program.write_text(f"#!/bin/sh\necho what it said\n{script}\n")
    program.chmod(0o755)
    chip = RtlChip(Simulator(SHAPE, program, flat=False, waves=False, build_s=0))
    with pytest.raises(SimulationError, match=words) as caught:
        chip.run([Step(np.zeros(0, np.uint64), go=True)])
    assert type(caught.value) is error
    logs = list(tmp_path.glob("nc64c-simulator-*.log"))
    assert [log.read_text().splitlines()[0] for log in logs] == (
        ["what it said"] if error is SimulationError else []
    )


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [("kill -9 $$", 2, "SIGKILL"), ("echo 'NC64C: it hangs'", 1, "the RTL hangs: it hangs")],
)
def test_only_a_hanging_chip_has_the_exit_code_of_a_difference(
    script: str,
    code: int,
    words: str,
    builds: list[Recipe],
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{__name__}.SCRIPT", f"#!/bin/sh\n{script}\n")
    checkpoint, out = small_checkpoint(tmp_path), tmp_path / "out"
    run = ("--images", "2", "--sets", "clean", "--jobs", "1")
    result = nc64c("cosim", "--checkpoint", checkpoint, "--out", out, *run, *SMALL_CHIP)
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    assert words in line


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.chmod(0o000)])
def test_a_simulator_that_went_meanwhile_is_no_difference(
    spoil: Callable[[Path], None],
    builds: list[Recipe],
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take = cache.Cache.take

    def spoilt(store: cache.Cache, key: str) -> Path | None:
        found = take(store, key)
        if found is not None:
            spoil(found)
        return found

    build(ChipShape(columns=3, rows=2, axons=256, dendrites=256))
    monkeypatch.setattr(cache.Cache, "take", spoilt)
    checkpoint, out = small_checkpoint(tmp_path), tmp_path / "out"
    run = ("--images", "2", "--sets", "clean", "--jobs", "1")
    result = nc64c("cosim", "--checkpoint", checkpoint, "--out", out, *run, *SMALL_CHIP)
    assert result.exit_code == 2, result.output
