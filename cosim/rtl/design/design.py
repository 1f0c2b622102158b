"""A user's RTL: a whole chip, or one core for our mesh. It is read once, and runs anywhere."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from cosim.rtl.design import verilator
from sw.common.checks import shown
from sw.common.errors import InputError, reason

MAX_BYTES = 256 << 20  # of all files together
CPP = (".cpp", ".cc", ".cxx")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
DEFINE = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(=.*)?", re.DOTALL)
NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})", re.ASCII)
LINES = re.compile(rb'^`line \d+ "([^"\n]*)" \d+$\n?', re.MULTILINE)
# The C++ function that stores words straight into a core's memories, or a chip's.
STORE, BACK_DOOR = b"nc64c_store", b"nc64c_backdoor"
AS_ICARUS = ("-UVERILATOR", "-D__ICARUS__=1")  # what Icarus Verilog defines, and Verilator does not


@dataclass(frozen=True)
class Sources:
    """What a user names.

    Attributes:
        files: Verilog or SystemVerilog; C++ among them is the back door's.
        top: the module that is the chip, or the core.
        core: it is a core.
        include: folders with files to include.
        defines: `NAME` or `NAME=VALUE`, each.
        parameters: `NAME=NUMBER`, each, of the top.
        packs: it takes the spikes of a group of axons in one flit.
    """

    files: tuple[Path, ...]
    top: str
    core: bool = False
    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    packs: bool = False


@dataclass(frozen=True)
class Design:
    """RTL in the place of ours.

    Attributes:
        top: its module.
        core: one core inside our mesh; else it is a whole chip.
        text: all its Verilog, what it includes and defines resolved.
        code: name and content of each C++ file.
        parameters: name and value of those of the top that are set.
        files: name and SHA-256 of each file that a user has named or that was included.
        packs: see `Sources`; it is sent such flits.
    """

    top: str
    core: bool
    text: bytes = field(repr=False)
    code: tuple[tuple[str, bytes], ...] = field(repr=False, default=())
    parameters: tuple[tuple[str, int], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    packs: bool = False

    @cached_property
    def digest(self) -> str:
        """A hash of what it is made of, the same wherever its files are."""
        parts: Any = (self.top, self.core, LINES.sub(b"", self.text), self.code, self.parameters)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    @property
    def back_door(self) -> bool:
        """Whether its C++ stores words in memories."""
        wanted = STORE if self.core else BACK_DOOR
        return any(wanted in content for _, content in self.code)

    def __str__(self) -> str:
        names = ", ".join(name for name, _ in self.files)
        return f"{'core' if self.core else 'chip'} {self.top} of {names}"


def is_whole_chip(design: Design | None) -> TypeGuard[Design]:
    """Whether RTL is a whole chip of a user's; None: ours, which is not."""
    return design is not None and not design.core


def takes_packed(design: Design | None) -> bool:
    """Whether RTL takes the spikes of a group of axons in one flit; None: ours, which does."""
    return design is None or design.packs


def read(sources: Sources, *, icarus: bool = False) -> Design:
    """The design, its files read once; with `icarus` as that simulator would.

    Raises `InputError`: a file that is missing or is none, a name or a number that is none, or
    what Verilator's preprocessor says.
    """
    if not NAME.fullmatch(sources.top):
        raise InputError(f"--top {shown(sources.top)}: must be the name of a module")
    contents = _contents(sources.files)
    for folder in sources.include:
        if not folder.is_dir():
            raise InputError(f"--include {folder}: must be a folder that is there")
    for each in sources.defines:
        if not DEFINE.fullmatch(each):
            raise InputError(f"--define {shown(each)}: must be NAME or NAME=VALUE")
    parameters = [_parameter(each) for each in sources.parameters]
    code = {path: content for path, content in contents.items() if path.suffix in CPP}
    verilog = [path for path in contents if path not in code]
    if not verilog:
        raise InputError(f"no Verilog among {', '.join(map(str, contents))}: name its files")
    text = verilator.preprocessed(
        [
            *(AS_ICARUS if icarus else ()),
            *(f"-I{folder}" for folder in sources.include),
            *(f"-D{each}" for each in sources.defines),
            *map(str, verilog),
        ]
    )
    return Design(
        top=sources.top,
        core=sources.core,
        text=text,
        code=tuple((path.name, content) for path, content in code.items()),
        parameters=tuple(parameters),
        files=tuple(_hashes(contents, text).items()),
        packs=sources.packs,
    )


def _contents(paths: tuple[Path, ...]) -> dict[Path, bytes]:
    contents = {}
    size = 0
    for path in paths:
        try:
            if path.is_dir():
                raise InputError(f"{path} is a folder: name the Verilog files in it")
            size += path.stat().st_size
            if size > MAX_BYTES:
                raise InputError(f"{path}: the RTL has more than {MAX_BYTES} bytes")
            contents[path] = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"cannot read {path}: {reason(error)}; --rtl and --rtl-core take Verilog files"
            ) from error
    return contents


def _parameter(given: str) -> tuple[str, int]:
    name, _, number = given.partition("=")
    if NAME.fullmatch(name) and NUMBER.fullmatch(number):
        value = int(number, 0 if "x" in number.lower() else 10)
        if -(1 << 31) <= value < 1 << 31:
            return name, value
    raise InputError(
        f"--parameter {shown(given)}: must be NAME=NUMBER, a whole number of 32 bits such as"
        " DEPTH=64 or MASK=0xff"
    )


def _hashes(contents: Mapping[Path, bytes], text: bytes) -> dict[str, str]:
    """SHA-256 of the named files, and of those that they include."""
    found = {str(path): _sha256(content) for path, content in contents.items()}
    for name in dict.fromkeys(match[1].decode() for match in LINES.finditer(text)):
        path = Path(name)
        if str(path) not in found and path.is_file():
            found[str(path)] = _sha256(path.read_bytes())
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
