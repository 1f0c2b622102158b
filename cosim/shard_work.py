"""The work of a shard, in whichever process and on whichever machine it falls to."""

import threading
from functools import lru_cache

import torch
from threadpoolctl import threadpool_limits

from cosim import rtl_runs
from cosim.chip_levels import RunRtl
from cosim.experiment import Subject, examine, prepare
from cosim.shard import Result, Shard, code_hash
from hw.spec import ChipShape
from sw import checkpoint
from sw.errors import InputError

_turn = threading.Lock()  # a Dask worker may have several threads; PyTorch's settings are all one's


def run(shard: Shard) -> Result:
    """Everything that a shard asks for.

    Raises:
        InputError: this process has other code than the one that asks.
        SimulationError: the simulator ended early.
    """
    common = shard.common
    if common.code != code_hash():
        raise InputError(
            "a worker has another version of nc64c or of its packages than this machine, or their "
            "files have changed since it started: install the same, and start it again"
        )
    with _turn:
        use_one_thread()
        subject = _subject(common.checkpoint, common.attacker, common.shape)
        return examine(subject, shard, _rtl(common.shape, common.front_door))


def use_one_thread() -> None:
    """One thread each for torch and numpy's BLAS; more work at a time takes more processes.

    Sums of floats, and so attacks, must not depend on how many cores the machine has; and arrays as
    small as ours only make threads wait for each other.
    """
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")


@lru_cache(maxsize=1)
def _subject(network: bytes, attacker: bytes | None, shape: ChipShape) -> Subject:
    other = None if attacker is None else checkpoint.load_bytes(attacker)
    return prepare(checkpoint.load_bytes(network), shape, other)


@lru_cache(maxsize=1)
def _rtl(shape: ChipShape, front_door: bool) -> RunRtl:
    """One process: what the cycles of a shard add up to must not depend on how many there are."""
    return rtl_runs.verilated(shape, 1, front_door)
