"""Whichever golden model a run takes, it gives the same; and what is refused."""

from dataclasses import replace

import pytest

from cosim.experiment.plan import Shard
from cosim.golden.batched.choice import GoldenChoice
from cosim.golden.batched.runner import BatchedRunner
from cosim.golden.runner import GoldenRunner
from cosim.record.record import SetRecord
from hw.spec import ChipShape
from sw.common.errors import InputError
from tests.support.mapping.on_golden import TINY_CHIP
from tests.support.subjects import SHAPE, FakeRtl, make_run_of, make_shards, make_subject

BATCHED = GoldenChoice("batched")


def of(shard: Shard, golden: GoldenChoice) -> Shard:
    return replace(shard, common=replace(shard.common, golden=golden))


@pytest.mark.parametrize("noise_bits", [0, 13])
@pytest.mark.parametrize("shape", [SHAPE, TINY_CHIP], ids=["resident", "streamed"])
def test_both_give_the_same_run(shape: ChipShape, noise_bits: int) -> None:
    def run(golden: GoldenChoice) -> dict[str, SetRecord]:
        shards = make_shards(6, rtl_images=4, noise_bits=noise_bits)
        return make_run_of(
            make_subject(shape), FakeRtl(), [of(each, golden) for each in shards]
        ).sets

    found = run(BATCHED)
    assert found == run(GoldenChoice())
    assert all(each.compared_spikes > 50 and not each.mismatched_spikes for each in found.values())


def test_a_shard_is_another_one() -> None:
    """A run that is asked of one model does not find what the other one has made."""
    [shard] = make_shards(2, ("clean",))
    assert of(shard, BATCHED).settings != shard.settings


def test_runners() -> None:
    assert isinstance(GoldenChoice().runner(), GoldenRunner)
    assert isinstance(BATCHED.runner(), BatchedRunner)
    assert [str(GoldenChoice()), str(BATCHED)] == ["numpy", "batched, on cpu"]


def test_what_there_is_not() -> None:
    with pytest.raises(InputError, match="golden model 'fast': must be numpy or batched"):
        GoldenChoice("fast")
    with pytest.raises(InputError, match="the golden model in numpy runs on the CPU"):
        GoldenChoice(device="cuda")
    with pytest.raises(InputError, match="device 'cuda:99': PyTorch finds no such device"):
        GoldenChoice("batched", "cuda:99").check()
