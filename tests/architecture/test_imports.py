"""Data flows one way, and no module looks back: imports are read from the source, not run."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for part in ("hw", "sw", "cosim") for path in (ROOT / part).rglob("*.py"))

# What a module must not import: (modules, what), each a prefix of dotted names.
FORBIDDEN = (
    ("hw", ("sw", "cosim", "torch", "cocotb")),
    ("hw.spec", ("hw", "amaranth", "numpy")),  # but for FORMATS
    ("hw.formats", ("hw", "amaranth", "numpy")),
    ("sw", ("hw", "cosim", "amaranth", "cocotb")),
    ("cosim", ("cosim.cli.app",)),
    ("cosim.golden.chip", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    ("cosim.golden.core", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    ("cosim.golden.memory", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    ("cosim.golden.axons", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    ("cosim.golden.synapses", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    ("cosim.golden.runner", ("amaranth", "cocotb", "torch", "cosim.mapping.resident")),
    (
        "cosim.mapping.streamed",
        (
            "amaranth",
            "cocotb",
            "cosim.golden.chip",
            "cosim.rtl.simulation",
            "cosim.rtl.simulator.build",
        ),
    ),
    (
        "cosim.experiment.levels.passes",
        (
            "amaranth",
            "cocotb",
            "cosim.golden.chip",
            "cosim.rtl.simulation",
            "cosim.rtl.simulator.build",
        ),
    ),
    (
        "cosim.mapping.resident",
        (
            "amaranth",
            "cocotb",
            "cosim.golden.chip",
            "cosim.rtl.simulation",
            "cosim.rtl.simulator.build",
        ),
    ),
    (
        "cosim.program.program",
        (
            "sw",
            "amaranth",
            "cocotb",
            "cosim.golden.chip",
            "cosim.mapping.resident",
            "cosim.rtl.simulation",
        ),
    ),
    (
        "cosim.rtl.tb.testbench",
        ("sw", "torch", "cosim.golden.chip", "cosim.mapping.resident", "cosim.compare.chips"),
    ),
    (
        "cosim.compare.chips",
        ("sw", "cosim.golden.chip", "cosim.rtl.simulation", "cosim.mapping.resident"),
    ),
    (
        "cosim.report.page",
        (
            "torch",
            "cosim.experiment.shard",
            "cosim.golden.chip",
            "cosim.rtl.simulation",
            "cosim.mapping.resident",
        ),
    ),
    (
        "cosim.record.record",
        (
            "torch",
            "cosim.experiment.shard",
            "cosim.golden.chip",
            "cosim.rtl.simulation",
            "cosim.mapping.resident",
        ),
    ),
)
FORMATS = ("hw.spec", "hw.formats")  # the one import of the spec: words of bit fields
HARDWARE_OF_COSIM = {
    "hw.spec",
    "hw.formats",
    "hw.verilog.export",
}  # the formats, and Verilog for the build
EMITTING = {
    "cosim.rtl.simulator.build",
    "cosim.experiment.tasks",
    "cosim.rtl.icarus.icarus",
    "cosim.bench.mesh.noc",
}
SIMULATING = {"cosim.rtl.amaranth_sim"}  # in Amaranth itself, to be compared with


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Dotted names of the modules that a file imports, at its top or within functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it goes"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in names if is_module(name)}
            found |= modules or {node.module}
            found |= {node.module} if len(modules) < len(names) else set()
    return found


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def violations(module: str, imported: set[str]) -> list[str]:
    found = [
        f"{module} imports {name}"
        for modules, forbidden in FORBIDDEN
        if module == modules or (within(module, modules) and "." not in modules)
        for name in imported
        if any(within(name, prefix) for prefix in forbidden)
        and name != module
        and (module, name) != FORMATS
    ]
    if within(module, "cosim"):
        allowed = HARDWARE_OF_COSIM if module in EMITTING else {"hw.spec", "hw.formats"}
        allowed |= {"hw.chip"} if module in SIMULATING else set()
        found += [
            f"{module} imports {name}"
            for name in imported
            if within(name, "hw") and not any(within(name, part) for part in allowed)
        ]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_go_one_way(path: Path) -> None:
    assert not violations(module_name(path), imports(path))


def test_rules_catch_a_violation() -> None:
    assert violations("hw.core.core", {"cosim.golden.chip"})
    assert violations("hw.spec", {"hw.layouts"})
    assert violations("sw.train.loop", {"hw.spec"})
    assert violations("cosim.compare.chips", {"hw.mesh.router"})
    assert violations("cosim.report.page", {"cosim.cli.app"})
    assert not violations("cosim.compare.chips", {"hw.spec", "numpy"})


def test_rules_name_modules_that_exist() -> None:
    named = {modules for modules, _ in FORBIDDEN} | EMITTING | SIMULATING | HARDWARE_OF_COSIM
    assert all(is_module(name) for name in named)


def test_no_cycle_between_modules() -> None:
    graph = {module_name(path): imports(path) for path in SOURCES}
    finished: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in finished:
            return
        for imported in graph.get(module, set()):
            visit(imported, (*trail, module))
        finished.add(module)

    for module in graph:
        visit(module, ())
