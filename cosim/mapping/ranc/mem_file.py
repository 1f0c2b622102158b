"""RANC's text files: words of zeros and ones as `$readmemb` reads them, and lists of counts."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sw.common.checks import shown
from sw.common.errors import InputError, reason

MAX_BYTES = 16 << 20  # of one file: a core of 1024 axons x 1024 neurons has 1.2 MB
MAX_COUNT = 1 << 20  # of packets in one tick
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def read_words(path: Path) -> NDArray[np.bool_]:
    """All words of a file, bool [words, bits], most significant bit first.

    Raises `InputError` for a file that cannot be read, has no word, has words of several lengths,
    or anything else than zeros and ones.
    """
    words = _text(path).split()
    if not words:
        raise InputError(f"{path} has no words: must have words of zeros and ones")
    width = len(words[0])
    for number, word in enumerate(words, 1):
        if not set(word) <= {"0", "1"}:
            raise InputError(f"{path}, word {number}: is {shown(word)}, must be zeros and ones")
        if len(word) != width:
            raise InputError(
                f"{path}, word {number}: has {len(word)} bits, must have {width} like the first"
            )
    letters = np.frombuffer("".join(words).encode(), np.uint8).reshape(len(words), width)
    bits: NDArray[np.bool_] = letters == ord("1")
    return bits


def read_counts(path: Path) -> list[int]:
    """Whole numbers, one a line. Raises `InputError` for anything else."""
    counts = []
    for number, word in enumerate(_text(path).split(), 1):
        if re.fullmatch(r"\d{1,9}", word, re.ASCII) is None or int(word) > MAX_COUNT:
            raise InputError(
                f"{path}, line {number}: is {shown(word)}, must be a number of packets, "
                f"at most {MAX_COUNT}"
            )
        counts.append(int(word))
    return counts


def number(bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """What words stand for, int64 [words], of bool [words, bits]; at most 62 bits."""
    weights = np.int64(1) << np.arange(bits.shape[1] - 1, -1, -1, dtype=np.int64)
    return bits.astype(np.int64) @ weights


def signed(bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The same as two's complement."""
    value = number(bits)
    return np.where(bits[:, 0], value - (np.int64(1) << bits.shape[1]), value)


def _text(path: Path) -> str:
    """A file's text without its comments."""
    try:
        if not path.is_file():
            raise InputError(f"{path} is missing: give a folder with all of RANC's files")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES} bytes: it is no file of RANC's")
        text = path.read_text("ascii")
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error
    except UnicodeError as error:
        raise InputError(f"{path} is no text: must be words of zeros and ones") from error
    return COMMENT.sub(" ", text)
