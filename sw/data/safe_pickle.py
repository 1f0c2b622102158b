"""Pickle files of plain data and numpy arrays, read without running anything they say.

A pickle is a program for a stack machine that can call any function by its name. This reader is
another machine for the same programs: it builds numbers, strings, lists, dictionaries and arrays
itself, knows the few names that stand for an array, and calls nothing. `pickletools`, of the
standard library, reads the opcodes' arguments; it does not run them either.

`pickle.Unpickler` with a `find_class` of its own would run no foreign code either, but it takes
memory by what a file says and not by what it has: a memo entry of number 2^31 alone takes 32 GB.
"""

import codecs
import io
import pickletools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.common.errors import InputError

MAX_OPCODES = 1_000_000
TYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8")  # of arrays
ORDERS = "<>|="  # of bytes, in numpy's letters
# numpy 1 and numpy 2 have different names for the same module.
NAMES = {
    "_reconstruct": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "scalar": ("numpy.core.multiarray", "numpy._core.multiarray"),
    "_frombuffer": ("numpy.core.numeric", "numpy._core.numeric"),
    "ndarray": ("numpy",),
    "dtype": ("numpy",),
    "encode": ("_codecs",),
}
MARK = object()
OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}

PUSHES = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING", "STRING",
}  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
IGNORED = {"PROTO", "FRAME", "STOP"}
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error)


@dataclass
class _Name:
    """A name that the pickle mentions; it stays a name."""

    value: str


@dataclass
class _Type:
    """A numpy type, by its code, such as "u1"; its byte order comes in a later opcode."""

    code: str
    order: str = "="

    def values(self, content: bytes | bytearray) -> NDArray[Any]:
        """The numbers that these bytes are; raises `_Refused` if they are no whole numbers."""
        if self.code not in TYPES:
            raise _Refused(f"an array of type {self.code[:20]}")
        if self.order not in tuple(ORDERS):
            raise ValueError
        kind: Any = np.dtype(self.code)
        numbers: NDArray[Any] = np.frombuffer(content, kind.newbyteorder(self.order))
        return numbers


@dataclass
class _Array:
    """An array: first without content, which comes in a later opcode."""

    value: NDArray[Any] | None = None


class _Refused(Exception):
    """The pickle holds something that this reader does not know."""


def read(path: Path, content: bytes) -> Any:
    """The object that a pickle of protocol 0 to 5 describes.

    Args:
        path: for messages.
        content: the whole file.

    Returns:
        Numbers, strings (those of Python 2 as str, Latin-1), lists, or a dictionary of str to these
        and to arrays of whole numbers, which may not be written to.

    Raises:
        InputError: it is damaged, or holds anything but plain data and numpy arrays.
    """
    machine = _Machine(len(content))
    try:
        for count, (name, argument) in enumerate(_opcodes(content)):
            if count > MAX_OPCODES:
                raise _Refused("more steps than any data set needs")
            machine.step(name, argument)
        return _resolved(machine.stack.pop())
    except _Refused as error:
        raise InputError(
            f"{path} is refused: it holds {error}, and only plain data and numpy arrays are read"
        ) from error
    except DAMAGE as error:
        raise InputError(f"{path} is damaged: it is no whole pickle of plain data") from error


def _opcodes(content: bytes) -> Iterator[tuple[str, Any]]:
    """Each opcode's name and argument, to the last one; raises `ValueError` where there is none.

    What `pickletools.genops` does, but that one takes a text of protocol 0 for ASCII.
    """
    stream, name = io.BytesIO(content), ""
    while name != "STOP":
        opcode = OPCODES.get(stream.read(1))
        if opcode is None:
            raise ValueError
        name = opcode.name
        if name == "STRING":
            yield name, _unquoted(stream.readline())
        else:
            yield name, None if opcode.arg is None else opcode.arg.reader(stream)


def _unquoted(line: bytes) -> str:
    """A text as Python 2 showed it, with quotes and escapes, as str, Latin-1."""
    text = line.removesuffix(b"\n")
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"'\"":
        raise ValueError
    raw, _ = codecs.escape_decode(text[1:-1])
    return raw.decode("latin-1")


class _Machine:
    """The stack machine: a stack, and a memo of what was numbered.

    Args:
        budget: bytes of text that may be turned into byte strings: no more than the file has.
    """

    def __init__(self, budget: int) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = budget

    def step(self, name: str, argument: Any) -> None:
        """One opcode; raises `_Refused` for one that could do more than build plain data."""
        stack = self.stack
        if name in PUSHES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[argument])
        elif name in TUPLES or name == "TUPLE":
            stack.append(tuple(self._above(TUPLES.get(name))))
        elif name in ("APPEND", "APPENDS"):
            items = self._above(1 if name == "APPEND" else None)
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self._above(2 if name == "SETITEM" else None)
            self._top(dict).update(_paired(items))
        elif name == "LIST":
            stack.append(self._above(None))
        elif name == "DICT":
            stack.append(_paired(self._above(None)))
        elif name == "GLOBAL":
            stack.append(_known(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            stack.append(_known(*self._above(2)))
        elif name == "REDUCE":
            stack.append(self._made(*self._above(2)))
        elif name == "BUILD":
            self._fill(stack[-2], self._above(1)[0])
        elif name not in IGNORED:
            raise _Refused(f"the opcode {name}")

    def _above(self, count: int | None) -> list[Any]:
        """Takes `count` objects off the stack; None: all above the last mark, and the mark."""
        if count is not None:
            taken = self.stack[-count:]
            del self.stack[-count:]
            return taken
        mark = max(index for index, item in enumerate(self.stack) if item is MARK)
        taken = self.stack[mark + 1 :]
        del self.stack[mark:]
        return taken

    def _top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise TypeError
        return self.stack[-1]

    def _made(self, callee: Any, arguments: tuple[Any, ...]) -> Any:
        """What numpy's own constructors would make of their arguments, in our own words."""
        if not isinstance(callee, _Name):
            raise TypeError
        if callee.value == "_reconstruct":
            return _Array()
        if callee.value == "dtype":
            return _Type(_text(arguments[0]))
        if callee.value == "encode":  # how protocol 2 of Python 3 writes bytes
            return self._bytes(arguments[0])
        if callee.value == "scalar":
            kind, content = arguments
            return kind.values(self._raw(content))[0].item()
        if callee.value == "_frombuffer":  # how protocol 5 writes an array
            content, kind, shape, order = arguments
            return _Array(kind.values(content).reshape(shape, order=order))
        raise _Refused(f"a call of {callee.value}")

    def _fill(self, target: Any, state: tuple[Any, ...]) -> None:
        """Gives an array its content: (version, shape, type, in Fortran's order, bytes)."""
        if isinstance(target, _Type):
            target.order = _text(state[1])
            return
        if not isinstance(target, _Array):
            raise TypeError
        _, shape, kind, fortran, content = state
        flat = kind.values(self._raw(content))
        target.value = flat.reshape(shape, order="F" if fortran else "C")

    def _raw(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else self._bytes(content)

    def _bytes(self, text: str) -> bytes:
        self.budget -= len(text)
        if self.budget < 0:
            raise _Refused("the same bytes over and over")
        return text.encode("latin-1")


def _paired(items: list[Any]) -> dict[str, Any]:
    """A dictionary of keys and values in turn."""
    keys = [_text(key) for key in items[0::2]]
    return dict(zip(keys, items[1::2], strict=True))


def _text(key: Any) -> str:
    """A key of a dictionary as str: Python 2 wrote bytes, Python 3 may have copied them so."""
    if isinstance(key, bytes):
        return key.decode("latin-1")
    if not isinstance(key, str):
        raise TypeError
    return key


def _known(module: str, name: str) -> _Name:
    if module not in NAMES.get(name, ()):
        raise _Refused(f"a call of {str(module)[:60]}.{str(name)[:60]}")
    return _Name(name)


def _resolved(item: Any) -> Any:
    """The dictionary with its arrays in the place of what stood for them."""
    if not isinstance(item, dict):
        return item
    return {key: value.value if isinstance(value, _Array) else value for key, value in item.items()}
