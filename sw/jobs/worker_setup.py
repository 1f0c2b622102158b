"""What every worker does before its work, in whichever process and on whichever machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from sw.common.errors import InputError
from sw.common.memory import keep_freed

_turn = threading.Lock()  # a Dask worker may have several threads; PyTorch's settings are all one's


@contextmanager
def alone(asked: str, ours: str) -> Iterator[None]:
    """One piece of work at a time in a process, with one thread.

    Raises `InputError` if the hash of this process's code is not that of who asks.
    """
    if asked != ours:
        raise InputError(
            "a worker has another version of nc64c or of its packages than this machine, or their "
            "files have changed since it started: install the same, and start it again"
        )
    with _turn:
        keep_freed()
        use_one_thread()
        yield


def use_one_thread() -> None:
    """One thread each for torch and numpy's BLAS; more work at a time takes more processes.

    Sums of floats, and so attacks, must not depend on how many cores the machine has; and arrays as
    small as ours only make threads wait for each other.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
