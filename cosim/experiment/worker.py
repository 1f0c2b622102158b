"""The work of a shard, in whichever process and on whichever machine it falls to."""

from functools import lru_cache

from cosim.experiment.code import code_hash
from cosim.experiment.levels.results import Chips
from cosim.experiment.levels.subject import Subject, prepare
from cosim.experiment.plan import Result, Shard
from cosim.experiment.shard import examine
from cosim.golden.batched.choice import GoldenChoice
from cosim.program.runner import Runner
from cosim.rtl.choice import Choice, runner_of
from hw.spec import ChipShape
from sw.jobs.worker_setup import alone
from sw.train import checkpoint


def run(shard: Shard) -> Result:
    """Everything that a shard asks for.

    Raises:
        InputError: this process has other code than the one that asks.
        Mismatch: the RTL hangs.
        SimulationError: the simulator ended early.
    """
    common = shard.common
    with alone(common.code, code_hash()):
        subject = _subject(common.checkpoint, common.shape)
        golden = _golden(common.golden, common.checkpoint, common.shape)
        rtl = _rtl(common.rtl, common.shape, common.front_door)
        return examine(subject, shard, Chips(golden, rtl))


@lru_cache(maxsize=1)
def _subject(network: bytes, shape: ChipShape) -> Subject:
    return prepare(checkpoint.load_bytes(network), shape)


@lru_cache(maxsize=1)
def _golden(choice: GoldenChoice, network: bytes, shape: ChipShape) -> Runner:
    """One for all shards of a network on a chip, whose programs it keeps."""
    return choice.runner()


@lru_cache(maxsize=1)
def _rtl(choice: Choice, shape: ChipShape, front_door: bool) -> Runner:
    return runner_of(choice, shape, front_door=front_door)
