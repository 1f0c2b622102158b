"""Where a network is trained and measured: the CPU, or a GPU that PyTorch reaches through CUDA."""

import torch

from sw.common.errors import InputError

KINDS = ("cpu", "cuda")
CPU = "cpu"


def device(name: str) -> torch.device:
    """The device of that name, which is there.

    Args:
        name: "cpu", "cuda" or "cuda:1" and so on.

    Raises:
        InputError: it is no such name, or PyTorch finds no such device on this machine.
    """
    try:
        found = torch.device(name)
    except RuntimeError:
        found = None
    if found is None or found.type not in KINDS:
        raise InputError(f"device {name!r}: must be cpu, cuda, or cuda:1 and so on")
    try:
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:  # as PyTorch says it, by how it was built
        raise InputError(
            f"device {name!r}: PyTorch finds no such device on this machine; must be cpu, or a GPU"
            " and a PyTorch that is built for CUDA"
        ) from error
    return found
