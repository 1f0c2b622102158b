"""A trial's counts are those of the whole set, and its threshold is another one."""

import pytest
import torch

from sw.attack.attacks import Attack
from sw.attack.robustness import measure as measure_whole
from sw.model.network import SpikingNetwork
from sw.paper.cells import Training
from sw.paper.phenomena.grid import grid
from sw.paper.phenomena.trial import Trial, at_threshold, measure
from sw.paper.worker import Source, images
from sw.train.settings import TrainSettings
from tests.sw.paper.phenomena.conftest import SCALE

TRAIN, TEST = images(Source(SCALE, None))
CONFIG = next(iter(grid(SCALE, TRAIN, TEST).values())).target.network


def network(seed: int) -> SpikingNetwork:
    found = SpikingNetwork(CONFIG)
    found.reset(seed)
    return found.eval()


@pytest.mark.parametrize("transfer", [False, True])
def test_groups_add_up(transfer: bool) -> None:
    task = Training(CONFIG, TrainSettings(), "images")
    attacks = (Attack("fgsm", 2), Attack("fgsm", 16))
    trial = Trial(task, "float", attacks, task if transfer else None, "images", 0.4, groups=7)
    models = [network(1), *([network(2)] if transfer else [])]
    found = measure(trial, models, TEST)
    whole = measure_whole(models[0], TEST, {f"fgsm_{a.eps}": a for a in attacks}, *models[1:])
    assert sum(found["images"]) == len(TEST)
    assert max(found["images"]) - min(found["images"]) <= 1
    for name, figures in {"clean": whole.clean, **whole.attacked}.items():
        groups = found["sets"][name]
        right = sum(group["right"] for group in groups)
        assert 100 * right / len(TEST) == pytest.approx(figures.accuracy)
        for layer, active in figures.activity.items():
            spikes = [group["activity"][layer] for group in groups]
            summed = sum(a * n for a, n in zip(spikes, found["images"], strict=True))
            assert summed / len(TEST) == pytest.approx(active)


def test_at_a_threshold() -> None:
    before = network(1)
    after = at_threshold(before, 0.9)
    assert after.config.theta_conv == 0.9
    assert [layer.theta for layer in after.chain] == [0.9, 0.9, 0.9, 1.0, None]
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[name])
    assert before.config.theta_conv == 0.4
