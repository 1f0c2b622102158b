"""A trial: a trained network at a threshold of its own, attacked and counted by groups of images.

Groups, because an interval needs to know how much a figure varies from images to images.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sw.attack.attacks import attacked
from sw.common.device import device as find_device
from sw.data.dataset import Dataset, Images
from sw.model.metrics import activity, evaluate
from sw.model.network import SpikingNetwork
from sw.paper import worker
from sw.paper.cells import Cell, Training
from sw.paper.phenomena.awake import first
from sw.paper.worker import CLEAN, Done, Job
from sw.train import checkpoint


@dataclass(frozen=True)
class Trial(Cell):
    """A cell whose networks, the attack model's too, have another threshold than in training.

    Attributes:
        theta: of all convolutions; that of the training: nothing is changed.
        groups: into how many the test images are divided.
    """

    theta: float
    groups: int


def run(job: Job) -> Done:
    """Train or measure, as `sw.paper.worker.run`; raises `InputError`."""
    find_device(job.source.device)
    torch.set_num_threads(job.source.scale.threads)
    train_images, test_images = worker.images(job.source)
    if isinstance(job.task, Training):
        return worker.trained(job, job.task, first(job.task, train_images))
    assert isinstance(job.task, Trial)
    worker.check("test", test_images, job.task.images)
    learnt = [worker.one_of(checkpoint.load_bytes(network), job.task) for network in job.networks]
    networks = [at_threshold(network, job.task.theta).to(job.source.device) for network in learnt]
    for network in networks:
        network.compiled = job.source.scale.fast
    return Done(measure(job.task, networks, test_images))


def at_threshold(network: SpikingNetwork, theta: float) -> SpikingNetwork:
    """The same weights behind another threshold of the convolutions."""
    config = replace(network.config, theta_conv=theta)
    found = SpikingNetwork(config, network.weight_bits)
    found.load_state_dict(network.state_dict())
    return found.eval()


def measure(trial: Trial, networks: list[SpikingNetwork], data: Dataset) -> dict[str, Any]:
    """A trial's result, as JSON: right answers and spike activity of each set, group by group.

    Args:
        trial: what to do.
        networks: the target, then the attack model if there is one; both at the threshold.
        data: the images.
    """
    start = time.monotonic()
    target, source = networks[0], networks[-1]
    attacks = {f"{attack.method}_{attack.eps}": attack for attack in trial.attacks}
    made = attacked(source, data, attacks)
    sets = {CLEAN: data.images, **{name: found.images for name, found in made.items()}}
    parts = np.array_split(np.arange(len(data)), trial.groups)
    return {
        "images": [len(part) for part in parts],
        "zero_gradients": {name: int(found.zero.sum()) for name, found in made.items()},
        "sets": {
            name: [_counts(target, images[part], data.labels[part]) for part in parts]
            for name, images in sets.items()
        },
        "seconds": round(time.monotonic() - start, 1),
    }


def _counts(network: SpikingNetwork, images: Images, labels: NDArray[np.int64]) -> dict[str, Any]:
    found = evaluate(network, images)
    return {
        "right": int((found.predictions == labels).sum()),
        "activity": activity(network, found.spikes, len(images)),
    }
