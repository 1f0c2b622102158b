"""One thread for everything, so that what is compared has the same means."""

import torch
from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """One thread each for torch and numpy's BLAS, from here on."""
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
