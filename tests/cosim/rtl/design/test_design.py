"""A user's RTL is read as one text; what is wrong with it is said in one sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from cosim.rtl.design import pins
from cosim.rtl.design.design import Design, Sources, read
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.users_rtl import chip_stub, core_stub, design_of

SHAPE = ChipShape(2, 2, 64, 16)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder: a core in two files, one of which includes a third."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "sizes.svh").write_text("`define DEPTH 16\n")
    body = "  part #(.DEPTH(`DEPTH)) inner();\n`ifdef FAST\n  wire fast;\n`endif\n"
    parameters = "parameter WIDTH = 4"
    text = '`include "sizes.svh"\n' + core_stub("my_core", body, parameters)
    (tmp_path / "core.sv").write_text(text)
    (tmp_path / "part.v").write_text("module part #(parameter DEPTH = 1) (); endmodule\n")
    return tmp_path


def sources(**more: object) -> Sources:
    files = (Path("core.sv"), Path("part.v"))
    return replace(Sources(files, "my_core", core=True, include=(Path("inc"),)), **more)  # type: ignore[arg-type]


def test_files_become_one_text(place: Path) -> None:
    design = read(sources(parameters=("WIDTH=0x10",)))
    pins.check(design, SHAPE)
    assert b".DEPTH(16)" in design.text
    assert b'"part.v"' in design.text
    assert design.parameters == (("WIDTH", 16),)
    assert [name for name, _ in design.files] == ["core.sv", "part.v", "inc/sizes.svh"]
    assert not design.back_door


def test_what_is_beside_a_file_is_found_from_anywhere(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "sizes.svh").write_text("`define DEPTH 16\n")
    here = read(sources(include=()))
    monkeypatch.chdir("/")
    there = read(sources(files=(place / "core.sv", place / "part.v"), include=()))
    assert here.digest == there.digest


def test_everything_that_decides_what_it_does_counts(place: Path) -> None:
    (place / "memories.cpp").write_text("bool nc64c_store() { return false; }\n")
    with_code = sources(files=(Path("core.sv"), Path("part.v"), Path("memories.cpp")))
    designs = [
        read(sources()),
        read(sources(defines=("FAST",))),
        read(sources(parameters=("WIDTH=5",))),
        read(sources(top="part")),
        read(sources(core=False)),
        read(with_code),
    ]
    assert designs[-1].back_door
    (place / "inc" / "sizes.svh").write_text("`define DEPTH 17\n")
    designs.append(read(sources()))
    (place / "part.v").write_text("module part #(parameter DEPTH = 2) (); endmodule\n")
    designs.append(read(sources()))
    assert len({design.digest for design in designs}) == len(designs)


def test_each_simulator_is_told_by_its_own_macro(place: Path) -> None:
    text = core_stub(body="`ifdef VERILATOR\nwire v;\n`endif\n`ifdef __ICARUS__\nwire i;\n`endif\n")
    (place / "both.sv").write_text(text)
    both = Sources((Path("both.sv"),), "my_core", core=True)
    for icarus, there, gone in ((False, b"wire v;", b"wire i;"), (True, b"wire i;", b"wire v;")):
        found = read(both, icarus=icarus).text
        assert there in found
        assert gone not in found


# ---------------------------------------------------------------- what cannot be read
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"files": (Path("none.sv"),)}, "cannot read none.sv: no such file or directory"),
        ({"files": (Path("inc"),)}, "inc is a folder: name the Verilog files in it"),
        ({"files": (Path("memories.cpp"),)}, "no Verilog among memories.cpp"),
        ({"include": (Path("none"),)}, "--include none: must be a folder"),
        ({"include": ()}, "core.sv:1:10: Cannot find include file: 'sizes.svh'"),
        ({"defines": ("=3",)}, "--define '=3': must be NAME or NAME=VALUE"),
        ({"parameters": ("WIDTH=four",)}, "--parameter 'WIDTH=four': must be NAME=NUMBER"),
        ({"parameters": ("WIDTH=99999999999",)}, "a whole number of 32 bits"),
        ({"parameters": ("WIDTH",)}, "--parameter 'WIDTH': must be NAME=NUMBER"),
        ({"top": "a b"}, "--top 'a b': must be the name of a module"),
    ],
    ids=str,
)
def test_what_cannot_be_read(place: Path, changes: dict[str, object], words: str) -> None:
    (place / "memories.cpp").touch()
    with pytest.raises(InputError) as caught:
        read(sources(**changes))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"top": "nobody"}, "--top-module 'nobody' was not found"),
        ({"parameters": ("HEIGHT=3",)}, "not found in the design: HEIGHT"),
        ({"files": (Path("core.sv"),)}, ": Cannot find file containing module: 'part'"),
    ],
    ids=str,
)
def test_what_verilator_cannot_put_together(
    place: Path, changes: dict[str, object], words: str
) -> None:
    design = read(sources(**changes))
    with pytest.raises(InputError, match="Verilator cannot read the RTL: ") as caught:
        pins.check(design, SHAPE)
    assert words in str(caught.value)


def test_a_syntax_error_has_its_file_and_line(place: Path) -> None:
    (place / "part.v").write_text("module part #(parameter DEPTH = 1) ();\n  wire x = ;\nendmodule")
    with pytest.raises(InputError, match=r"part\.v:2:12: syntax error, unexpected ';'"):
        pins.check(read(sources()), SHAPE)


# ---------------------------------------------------------------- pins
def core(folder: Path, **swaps: str) -> Design:
    """The stub of a core with some text swapped for other."""
    text = core_stub(body=swaps.pop("body", ""))
    for old, new in swaps.items():
        assert f"{old}" in text
        text = text.replace(f"] {old}", f"] {new}").replace(f"assign {old} ", f"assign {new} ")
    return design_of(folder, text, "my_core")


def test_the_documented_pins_fit(tmp_path: Path) -> None:
    pins.check(core(tmp_path), SHAPE)
    chip = design_of(tmp_path, chip_stub(SHAPE), "my_chip", core=False)
    pins.check(chip, SHAPE)


def test_packed_structures_are_as_wide_as_their_bits(tmp_path: Path) -> None:
    text = core_stub().replace("input [63:0] inbound__payload", "input flit_t inbound__payload")
    fields = "logic [1:0][3:0] a; kind_t kind; logic [53:0] rest;"
    types = (
        "package t; typedef enum logic [1:0] { A, B } kind_t;"
        f" typedef struct packed {{ {fields} }} flit_t; endpackage\nimport t::*;\n"
    )
    pins.check(design_of(tmp_path, types + text, "my_core"), SHAPE)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  input [2:0] x,\n", "", "`x`, an input of 3 bits, is missing"),
        (
            "  input [2:0] x,",
            "  input [3:0] x,",
            "`x` is an input of 4 bits, must be an input of 3",
        ),
        (
            "  input [2:0] x,",
            "  output [2:0] x,",
            "`x` is an output of 3 bits, must be an input of 3 bits",
        ),
        (
            "  input [2:0] x,",
            "  input [2:0] x, input scan,",
            "`scan`, an input of 1 bit, is too many",
        ),
        (
            "  input [2:0] x,",
            "  input logic x [3],",
            "`x` is an input that is no plain vector, must be an input of 3 bits",
        ),
        ("  input [0:0] go,", "  input [0:0] Go,", "`go`, an input of 1 bit, is missing; `Go`"),
    ],
)
def test_a_pin_that_is_not_as_documented_is_named(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = core_stub()
    assert old in text
    design = design_of(tmp_path, text.replace(old, new), "my_core")
    with pytest.raises(InputError) as caught:
        pins.check(design, SHAPE)
    assert str(caught.value).startswith("`my_core` has not the pins of a core: ")
    assert words in str(caught.value)


def test_a_chip_of_another_mesh_names_the_rows(tmp_path: Path) -> None:
    design = design_of(tmp_path, chip_stub(SHAPE), "my_chip", core=False)
    words = r"not the pins of a chip of 1 row \(--mesh\): `host_in__1__payload`, an .* and 3 more"
    with pytest.raises(InputError, match=words):
        pins.check(design, ChipShape(2, 1, 64, 16))


def test_a_module_with_the_name_of_the_bench_is_named(tmp_path: Path) -> None:
    text = core_stub(body="  tb inner();") + "module tb(); endmodule\n"
    with pytest.raises(InputError, match="a module of the RTL is called `tb`"):
        pins.check(design_of(tmp_path, text, "my_core"), SHAPE)


def test_a_flood_of_warnings_is_no_error(tmp_path: Path) -> None:
    """Verilog that is legal, if not tidy: widths that do not fit, wires that nobody drives."""
    body = "".join(
        f"  wire [3:0] w{n} = 9'h1ff; wire [7:0] u{n}; wire v{n} = u{n};\n" for n in range(500)
    )
    pins.check(core(tmp_path, body=body), SHAPE)
