"""Pickle files of plain data and numpy arrays, read without running anything they say.

A pickle is a program for a stack machine that can call any function by its name. This reader is
another machine for the same programs: it builds numbers, strings, lists, dictionaries and arrays
itself, knows the few names that stand for an array, and calls nothing. `pickletools`, of the
standard library, cuts the file into opcodes and their arguments; it does not run them either.
"""

import pickletools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sw.errors import InputError

MAX_OPCODES = 1_000_000
BYTES = "u1"  # the one type of array
MODULES = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy", "_codecs")
NAMES = ("_reconstruct", "ndarray", "dtype", "encode")
MARK = object()

PUSHES = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "BINSTRING", "SHORT_BINSTRING", "STRING",
}  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
IGNORED = {"PROTO", "FRAME", "STOP"}


@dataclass
class _Name:
    """A name that the pickle mentions; it stays a name."""

    value: str


@dataclass
class _Type:
    """A numpy type, by its code."""

    code: str


@dataclass
class _Array:
    """An array: first without content, which comes in a later opcode."""

    value: NDArray[np.uint8] | None = None


class _Refused(Exception):
    """The pickle holds something that this reader does not know."""


def read(path: Path, content: bytes) -> Any:
    """The object that a pickle of protocol 1 to 4 describes.

    Args:
        path: for messages.
        content: the whole file.

    Returns:
        Numbers, strings (those of Python 2 as str, Latin-1), lists, or a dictionary of str to these
        and to arrays, uint8.

    Raises:
        InputError: it is damaged, or holds anything but plain data and numpy arrays.
    """
    machine = _Machine(len(content))
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count > MAX_OPCODES:
                raise _Refused("more steps than any data set needs")
            machine.step(opcode.name, argument)
        return _resolved(machine.stack.pop())
    except _Refused as error:
        raise InputError(
            f"{path} is refused: it holds {error}, and only plain data and numpy arrays are read"
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"{path} is damaged: it is no whole pickle of plain data") from error


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
            keys = [_text(key) for key in items[0::2]]
            self._top(dict).update(zip(keys, items[1::2], strict=True))
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
        raise _Refused(f"a call of {callee.value}")

    def _fill(self, target: Any, state: tuple[Any, ...]) -> None:
        """Gives an array its content: (version, shape, type, in Fortran's order, bytes)."""
        if isinstance(target, _Type):
            return  # byte order and alignment, which bytes have not
        if not isinstance(target, _Array):
            raise TypeError
        _, shape, kind, fortran, content = state
        if kind.code != BYTES:
            raise _Refused(f"an array of type {kind.code[:20]}")
        raw = content if isinstance(content, bytes) else self._bytes(content)
        flat = np.frombuffer(raw, np.uint8)
        target.value = flat.reshape(shape, order="F" if fortran else "C")

    def _bytes(self, text: str) -> bytes:
        self.budget -= len(text)
        if self.budget < 0:
            raise _Refused("the same bytes over and over")
        return text.encode("latin-1")


def _text(key: Any) -> str:
    """A key of a dictionary as str: Python 2 wrote bytes, Python 3 may have copied them so."""
    if isinstance(key, bytes):
        return key.decode("latin-1")
    if not isinstance(key, str):
        raise TypeError
    return key


def _known(module: str, name: str) -> _Name:
    if module not in MODULES or name not in NAMES:
        raise _Refused(f"a call of {str(module)[:60]}.{str(name)[:60]}")
    return _Name(name)


def _resolved(item: Any) -> Any:
    """The dictionary with its arrays in the place of what stood for them."""
    if not isinstance(item, dict):
        return item
    return {key: value.value if isinstance(value, _Array) else value for key, value in item.items()}
