"""The text file of a case, version 1: read and written exactly, by people too.

    nc64c case 1
    # what differed, or any other comment
    chip 2x2 axons 128 dendrites 64
    core 0,0
      plane-weights 3
      neuron 0 threshold 5 bias 0
        synapses axons 7
        to axon 1 of 1,0
    steps
    back-pressure seed 1 share 128
    control restart to 0,0-1,1
    spike axons 7 to 0,0
    tick
    read membrane 0 count 1 from 0,0
    wait

The lines before a `tick` or a `wait` are one step. Numbers are decimal, or hexadecimal with 0x.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cosim.program.core_image import CoreImage
from cosim.program.program import Program
from cosim.program.stimulus import MOST_RESET_AFTER, MOST_SEED, MOST_SHARE, BackPressure, Step
from cosim.verify.case.case import Case
from cosim.verify.case.cores import CoreReader, core_lines
from cosim.verify.case.flits import flit_lines, read_flits
from cosim.verify.case.words import Line
from hw.spec import ChipShape
from sw.common.checks import shown
from sw.common.errors import InputError
from sw.files.atomic import atomic_write
from sw.files.bounded import read_at_most

MAGIC, VERSION = "nc64c case", 1
MOST_BYTES = 1 << 26  # of a file
MOST_FLITS = 1 << 22  # of all steps
MESH = re.compile(r"([1-8])x([1-8])")


def dumps(case: Case) -> str:
    """The file's text. What a program knows of its network is left out."""
    return "\n".join([*_lines(case), ""])


def save(path: Path, case: Case) -> None:
    """Writes the file, whole or not at all. Raises `InputError`."""
    atomic_write(path, dumps(case).encode())


def load(path: Path) -> Case:
    """The case of a file. Raises `InputError`, with the line that is wrong."""
    data = read_at_most(path, MOST_BYTES)
    try:
        return loads(data.decode(), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text, so no case file of nc64c") from error


def loads(text: str, name: str) -> Case:
    """The case of a file's text; `name` stands in the messages of errors.

    Raises `InputError`: one sentence, with the line that is wrong.
    """
    return _Reader(name, text).case()


# ---------------------------------------------------------------- writing
def _lines(case: Case) -> Iterator[str]:
    shape = case.shape
    yield f"{MAGIC} {VERSION}"
    yield from (f"# {line}".rstrip() for line in case.comment.splitlines())
    yield f"chip {shape.columns}x{shape.rows} axons {shape.axons} dendrites {shape.dendrites}"
    for core in case.program.cores:
        yield from core_lines(core)
    yield "steps"
    for step in case.steps:
        if step.back_pressure is not None:
            yield f"back-pressure seed {step.back_pressure.seed} share {step.back_pressure.share}"
        yield from flit_lines(step.flits)
        after = "" if step.reset_after is None else f" reset after {step.reset_after} cycles"
        yield f"tick{after}" if step.go else "wait"


# ---------------------------------------------------------------- reading
class _Reader:
    """Reads a file from its first line to its last."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text.splitlines()
        self._number = 0
        self._comment: list[str] = []
        self._flits = 0

    def case(self) -> Case:
        self._check_version()
        line, comment = self._line("chip"), "\n".join(self._comment)
        shape = self._shape(line)
        cores: list[CoreImage] = []
        line = self._line("steps")
        while not line.skip("steps"):
            line.expect("core")
            core = CoreReader(shape, line)
            line.end()
            while (line := self._line("steps")).next not in ("core", "steps"):
                core.read(line)
            cores.append(core.image())
        line.end()
        try:
            program = Program(shape, tuple(cores))
        except ValueError as error:
            raise InputError(f"{self._name}: {error}") from error
        return Case(program, tuple(self._steps()), comment)

    def _check_version(self) -> None:
        head = self._text[0].split() if self._text else []
        self._number = 1
        if head[:2] != MAGIC.split() or len(head) != 3:
            raise InputError(
                f"{self._name}: is no case file of nc64c, whose first line is `{MAGIC} {VERSION}`"
            )
        if head[2] != str(VERSION):
            raise InputError(
                f"{self._name}: is a case file of version {shown(head[2])}, this nc64c reads "
                f"version {VERSION}: use the nc64c that wrote it"
            )

    def _more(self) -> Iterator[Line]:
        """The lines that are left; those that are empty or comments are passed over."""
        while self._number < len(self._text):
            text = self._text[self._number].strip()
            self._number += 1
            if text.startswith("#"):
                self._comment.append(text[1:].removeprefix(" "))
            elif text:
                yield Line(self._name, self._number, text)

    def _line(self, wanted: str) -> Line:
        """The next line; there must be one."""
        for line in self._more():
            return line
        raise InputError(f"{self._name}: ends before its line `{wanted}`")

    def _shape(self, line: Line) -> ChipShape:
        line.expect("chip")
        word = line.word("a mesh")
        size = MESH.fullmatch(word)
        if size is None:
            line.fail(f"mesh {shown(word)}: must be columns x rows, such as 2x2, at most 8x8")
        line.expect("axons")
        axons = line.number("axons", 1, 1 << 16)
        line.expect("dendrites")
        dendrites = line.number("dendrites", 1, 1 << 16)
        line.end()
        try:
            return ChipShape(int(size[1]), int(size[2]), axons, dendrites)
        except ValueError as error:
            line.fail(str(error))

    def _steps(self) -> Iterator[Step]:
        parts, pressure = [np.zeros(0, np.uint64)], None
        open_line = None
        for line in self._more():
            open_line = line
            kind = line.word("what it is")
            if kind in ("tick", "wait"):
                yield Step(np.concatenate(parts), kind == "tick", self._reset(kind, line), pressure)
                parts, pressure, open_line = [np.zeros(0, np.uint64)], None, None
            elif kind == "back-pressure":
                pressure = self._pressure(line)
            else:
                flits = read_flits(kind, line)
                if flits is None:
                    line.fail(f"`{kind}` is nothing that a step can have")
                self._count(flits.size, line)
                parts.append(flits)
            line.end()
        if open_line is not None:
            open_line.fail("this last step has no end: `tick` or `wait` is missing behind it")

    def _count(self, flits: int, line: Line) -> None:
        self._flits += flits
        if self._flits > MOST_FLITS:
            line.fail(f"this is more than {MOST_FLITS} flits, which no case has")

    @staticmethod
    def _reset(kind: str, line: Line) -> int | None:
        if kind == "wait" or not line.skip("reset"):
            return None
        line.expect("after")
        after = line.number("cycles", 0, MOST_RESET_AFTER)
        line.expect("cycles")
        return after

    @staticmethod
    def _pressure(line: Line) -> BackPressure:
        line.expect("seed")
        seed = line.number("seed", 0, MOST_SEED)
        line.expect("share")
        return BackPressure(seed, line.number("share", 0, MOST_SHARE))
