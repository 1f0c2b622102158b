"""Memory that is freed stays with the process, for what comes next.

The C library of Linux hands every large block back to the system when it is freed. The next array
then begins with pages that the system has to fetch and clear one by one, and that takes as long as
an attack's arithmetic.
"""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # glibc's names for its settings (malloc.h)
LARGEST = 2**31 - 1  # bytes: blocks up to there stay


def keep_freed() -> bool:
    """For this process, from now on; whether its C library can."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another library, another system
        return False
    return all(mallopt(setting, LARGEST) for setting in (MMAP_THRESHOLD, TRIM_THRESHOLD))
