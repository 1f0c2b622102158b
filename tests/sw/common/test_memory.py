"""Freed memory stays: a block of the same size comes back without new pages."""

import subprocess
import sys

import pytest

from sw.common.memory import keep_freed

BLOCKS = """
import resource
import sys
import numpy as np
from sw.common.memory import keep_freed

if sys.argv[1] == "kept":
    assert keep_freed()
np.empty(1 << 28, np.uint8).fill(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.empty(1 << 28, np.uint8).fill(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux' C library")
def test_the_next_large_block_has_its_pages() -> None:
    new = []
    for how in ("as usual", "kept"):
        command = [sys.executable, "-c", BLOCKS, how]
        new.append(int(subprocess.run(command, check=True, capture_output=True).stdout))
    print(new)
    assert new[0] >= 128, "of 2 MB at most"
    assert new[1] < 16


def test_another_c_library_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not keep_freed()
