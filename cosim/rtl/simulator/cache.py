"""The cache of built simulators: where it is, what is in it, and what goes when it grows too large.

An entry is a folder, `simulator-KEY`, with the executable and a record of its size and SHA-256, or
`runtime-KEY` with the library that simulators are linked to. It is renamed into place and out of
it, so what stands there was whole once; what was damaged since is noticed by the record. A process
that uses an entry holds a shared lock on its file until it ends, so that nobody evicts it. Reading
asks for no right to write: a cache may be built beforehand, shared, and read-only.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filelock
import platformdirs

from sw.common.errors import InputError, reason

FOLDER, SIZE = "NC64C_CACHE", "NC64C_CACHE_SIZE"  # environment
DEFAULT_SIZE = "256M"  # some hundred simulators
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
RECORD, STAGE = "record.json", ".partial-"
STALE_SECONDS = 24 * 3600.0  # after which a stage belongs to nobody any more

_in_use: dict[Path, BinaryIO] = {}  # this process's; each holds a shared lock


def folder() -> Path:
    """The cache's folder, made or not: $NC64C_CACHE, or nc64c in the user's cache folder.

    Raises `InputError` when there is neither.
    """
    named = os.environ.get(FOLDER)
    if not named:
        try:
            named = platformdirs.user_cache_dir("nc64c", appauthor=False)
        except RuntimeError:
            named = "~"
        if named.startswith("~"):  # older versions of platformdirs leave it
            raise InputError(
                f"no home folder is known: set {FOLDER} to a folder for built simulators"
            )
    return Path(named).absolute()


def limit() -> int:
    """How many bytes the cache may have: $NC64C_CACHE_SIZE. Raises `InputError`."""
    named = os.environ.get(SIZE) or DEFAULT_SIZE
    found = re.fullmatch(r"([0-9]{1,9})([KMGT]?)", named, re.ASCII)
    if found is None:
        raise InputError(
            f"{SIZE} is {named!r}: must be a number of bytes, or one with K, M, G or T behind it, "
            f"such as {DEFAULT_SIZE}"
        )
    return int(found[1]) * UNITS[found[2]]


@dataclass(frozen=True)
class Kind:
    """What is kept: how the names of its entries begin, and the name of the file in each."""

    prefix: str
    file: str


SIMULATOR, RUNTIME = Kind("simulator-", "Vtop"), Kind("runtime-", "libverilated.a")


@dataclass(frozen=True)
class Entry:
    """Something built: its folder, its bytes, and when it was last used (seconds, POSIX)."""

    kind: Kind
    path: Path
    size: int
    used: float


class Cache:
    """What was built of one kind, in a folder that need not exist yet and that all kinds share."""

    def __init__(self, folder: Path, kind: Kind = SIMULATOR) -> None:
        self.folder = folder
        self.kind = kind

    def entries(self) -> list[Entry]:
        """Those of all kinds, the one used longest ago first. Raises `InputError`."""
        found = []
        with self._readable():
            if not self.folder.exists():
                return []
            for path in self.folder.iterdir():
                for kind in (SIMULATOR, RUNTIME):
                    if not path.name.startswith(kind.prefix):
                        continue
                    with suppress(FileNotFoundError, NotADirectoryError):  # just evicted; a lock
                        size = sum(file.stat().st_size for file in path.iterdir())
                        found.append(Entry(kind, path, size, path.stat().st_mtime))
        return sorted(found, key=lambda entry: entry.used)

    def size(self) -> int:
        """Bytes of all entries. Raises `InputError`."""
        return sum(entry.size for entry in self.entries())

    def take(self, key: str) -> Path | None:
        """The file of an entry, in use by this process from now on.

        None if there is none, or if it is not what was written. Raises `InputError` when it cannot
        be read.
        """
        executable = self._entry(key) / self.kind.file
        with self._readable():
            try:
                file = executable.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_SH)
            if not _whole(executable, file):
                file.close()
                return None
        if executable in _in_use:
            _in_use[executable].close()
        _in_use[executable] = file
        with suppress(OSError):  # read-only
            os.utime(executable.parent)
        return executable

    def keep(self, key: str, executable: Path) -> Path:
        """Copies a new file into the cache, as `take` finds it.

        Others that were used longest ago are evicted for it. Raises `InputError` when it cannot be
        written, or not be run from there.
        """
        entry = self._entry(key)
        with self._writable(), tempfile.TemporaryDirectory(dir=self.folder, prefix=STAGE) as stage:
            new = Path(stage, "new")  # its rights are those of any new folder; a stage's are not
            new.mkdir()
            copy = new / self.kind.file
            shutil.copyfile(executable, copy)
            mode = copy.stat().st_mode
            copy.chmod(mode | (mode & 0o444) >> 2)
            (new / RECORD).write_text(json.dumps(_record(copy.read_bytes())))
            if entry.exists():  # damaged
                entry.rename(Path(stage, "old"))
            try:
                new.rename(entry)
            except OSError:
                if not entry.exists():  # else another process was faster
                    raise
        taken = self.take(key)
        if taken is None:
            raise InputError(
                f"the simulator in {entry} cannot be run there: set {FOLDER} to a folder on a file "
                "system that runs programs"
            )
        self.evict(limit())
        return taken

    def check(self) -> None:
        """Raises `InputError` unless simulators can be written; the folder is made if need be."""
        limit()
        with self._writable():
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder) as file:
                file.write(b"\0")

    @contextmanager
    def building(self, key: str) -> Iterator[None]:
        """One build of the same thing at a time; the others wait, and find it done.

        Where locks do not work, two builds cost time and no more: the entry appears at once.
        """
        lock = filelock.FileLock(self.folder / f"{self.kind.prefix}{key}.lock", mode=0o666)
        try:
            lock.acquire()
        except (OSError, NotImplementedError):
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def evict(self, most: int) -> list[Entry]:
        """Removes entries until `most` bytes are left, the one used longest ago first.

        What a process uses stays. Returns what went. Raises `InputError`.
        """
        entries = self.entries()
        size = sum(entry.size for entry in entries)
        gone = []
        for entry in entries:
            if size <= most:
                break
            if self._remove(entry):
                gone.append(entry)
                size -= entry.size
        for stage in self.folder.glob(f"{STAGE}*"):
            with suppress(OSError):
                if time.time() - stage.stat().st_mtime > STALE_SECONDS:
                    shutil.rmtree(stage)
        return gone

    def _remove(self, entry: Entry) -> bool:
        """Removes an entry at once; not one in use, or one that another user may keep."""
        path = entry.path
        try:
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=STAGE) as stage:
                with ExitStack() as held, suppress(FileNotFoundError):
                    file = held.enter_context((path / entry.kind.file).open("rb"))
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.rename(Path(stage, "old"))
                if path.exists():  # without an executable
                    path.rename(Path(stage, "rest"))
                path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _entry(self, key: str) -> Path:
        return self.folder / f"{self.kind.prefix}{key}"

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"cannot read the cache folder {self.folder} ({reason(error)}): make it readable, "
                f"or set {FOLDER} to another folder"
            ) from error

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"cannot write the cache folder {self.folder} ({reason(error)}): set {FOLDER} to "
                "a folder that can be written"
            ) from error


def _whole(executable: Path, file: BinaryIO) -> bool:
    """Whether an executable is what was recorded, may be run, and was not evicted meanwhile."""
    try:
        record = json.loads((executable.parent / RECORD).read_bytes())
        here = os.path.samestat(os.fstat(file.fileno()), executable.stat())
    except (FileNotFoundError, ValueError, RecursionError):
        return False
    return here and os.access(executable, os.X_OK) and record == _record(file.read())


def _record(content: bytes) -> dict[str, object]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
