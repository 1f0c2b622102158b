"""Safetensors files of this project: named arrays and a line of JSON, checked before they are read.

The header says how long the file must be and what is in it; nothing is allocated before it agrees
with the file's size and with what the reader expects.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from sw.common.checks import shown
from sw.common.errors import InputError, reason
from sw.files.atomic import atomic_write

Array = NDArray[Any]
Layout = dict[str, tuple[str, tuple[int, ...]]]  # per tensor: safetensors' type name, shape

TYPE_NAMES = {
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
}
LENGTH_BYTES = 8  # of the header's length, which stands first
MAX_HEADER_BYTES = 4 << 20
MAX_FILE_BYTES = 1 << 30


@dataclass(frozen=True)
class Format:
    """A kind of file: what sentences call it, and the key of its JSON document in the metadata.

    The key ends with the format's version.
    """

    noun: str
    mark: str

    def version_in(self, metadata: dict[str, Any]) -> int | None:
        """The version of a file of this kind, and of any version; None: it is of another kind."""
        stem = self.mark.rpartition("-")[0]
        found = (re.fullmatch(rf"{re.escape(stem)}-(\d{{1,9}})", key, re.ASCII) for key in metadata)
        return next((int(match[1]) for match in found if match), None)


def write(path: Path, form: Format, document: dict[str, Any], tensors: dict[str, Array]) -> None:
    """Write arrays and a JSON document, whole or not at all; the same ones give the same bytes.

    What the readers below would refuse is not written, and what was written is read back.

    Raises:
        InputError: the file cannot be written, would be too large, or an array holds NaN; or what
            stands there afterwards is something else.
    """
    _check_finite(path, form, tensors)
    metadata = {form.mark: json.dumps(document, allow_nan=False)}  # one key: its order is settled
    contiguous = {name: array.copy(order="C") for name, array in tensors.items()}
    size = sum(array.nbytes for array in contiguous.values())
    if size > MAX_FILE_BYTES - MAX_HEADER_BYTES:
        raise InputError(
            f"cannot write {form.noun} {path}: it would have {size} bytes of arrays, more than"
            f" {MAX_FILE_BYTES - MAX_HEADER_BYTES}"
        )
    content = safetensors.numpy.save(contiguous, metadata)
    if int.from_bytes(content[:LENGTH_BYTES], "little") > MAX_HEADER_BYTES:
        raise InputError(f"cannot write {form.noun} {path}: its description is too long")
    atomic_write(path, content)
    read_document(path, form)
    layout = {name: (_kind(array), array.shape) for name, array in contiguous.items()}
    for name, array in read_tensors(path, form, layout).items():
        if array.tobytes() != contiguous[name].tobytes():
            raise InputError(f"{form.noun} {path} was not written as it should be: tensor {name}")


def read_document(path: Path, form: Format) -> dict[str, Any]:
    """The file's JSON document, once its header agrees with its size.

    Raises:
        InputError: the file is missing, unreadable, truncated, too large, or of another kind.
    """
    foreign = InputError(f"{path} is not a {form.noun}: it is no safetensors file of this project")
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(LENGTH_BYTES + 1)
            length = int.from_bytes(start[:LENGTH_BYTES], "little")
            if start[LENGTH_BYTES:] != b"{" or length > MAX_HEADER_BYTES:
                raise foreign
            if size > MAX_FILE_BYTES:
                raise InputError(f"{form.noun} {path} has {size} bytes, more than {MAX_FILE_BYTES}")
            header_bytes = start[LENGTH_BYTES:] + file.read(length - 1)
    except OSError as error:
        raise InputError(f"cannot read {form.noun} {path}: {reason(error)}") from error
    if len(header_bytes) < length:
        raise _truncated(path, form, size, LENGTH_BYTES + length)
    try:
        header = json.loads(header_bytes)
        metadata = header.pop("__metadata__")
        if form.mark not in metadata and (version := form.version_in(metadata)) is not None:
            raise InputError(
                f"{form.noun} {path} has version {version}, this program reads"
                f" {form.mark.rpartition('-')[2]}: use the version of nc64c that wrote it"
            )
        document = json.loads(metadata[form.mark])
        ends = [int(entry["data_offsets"][1]) for entry in header.values()]
    except InputError:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise foreign from error
    if not isinstance(document, dict):
        raise foreign
    if size < LENGTH_BYTES + length + max(ends, default=0):
        raise _truncated(path, form, size, LENGTH_BYTES + length + max(ends))
    return document


def check_known(what: str, found: Collection[str], known: Collection[str]) -> None:
    """Raises `InputError` for a setting in a document that this program does not know."""
    for name in sorted(set(found) - set(known)):
        raise InputError(
            f"{what}: has the setting {shown(name)}, which this program does not know: a newer"
            " nc64c wrote it, so use that one"
        )


def read_tensors(path: Path, form: Format, expected: Layout) -> dict[str, Array]:
    """The file's arrays, which must be exactly the expected ones, every number of them finite.

    Raises:
        InputError: a tensor is missing, left over, of another type or shape, or has NaN.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            for name in sorted(expected.keys() ^ set(file.keys())):
                fault = "lacks" if name in expected else "has an unknown"
                raise InputError(f"{form.noun} {path}: {fault} tensor {name}")
            for name, (kind, shape) in expected.items():
                entry = file.get_slice(name)
                found = (entry.get_dtype(), tuple(entry.get_shape()))
                if found != (kind, shape):
                    raise InputError(
                        f"{form.noun} {path}: tensor {name} is {found[0]} {list(found[1])},"
                        f" must be {kind} {list(shape)}"
                    )
            tensors = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{form.noun} {path} is damaged: {error}") from error
    _check_finite(path, form, tensors)
    return tensors


def _kind(array: Array) -> str:
    return TYPE_NAMES[array.dtype.name]


def _check_finite(path: Path, form: Format, tensors: dict[str, Array]) -> None:
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise InputError(f"{form.noun} {path}: tensor {name} holds NaN or infinite values")


def _truncated(path: Path, form: Format, size: int, wanted: int) -> InputError:
    return InputError(f"{form.noun} {path} is truncated: it has {size} of {wanted} bytes")
