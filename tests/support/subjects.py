"""A small subject for the experiment, and the golden model in the place of the RTL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from cosim.experiment.collect import Collected, gather
from cosim.experiment.images.image_file import ImageSet, ImageSets
from cosim.experiment.levels.results import Chips
from cosim.experiment.levels.subject import Subject
from cosim.experiment.plan import RunSettings, Shard, plan
from cosim.experiment.shard import examine
from cosim.golden.chip import GoldenChip
from cosim.golden.runner import GoldenRunner
from cosim.mapping.choose import choose_mapping
from cosim.program.program import Program, configuration
from cosim.program.runner import Advance, Response, Runner, Stimulus, Totals, unheard
from cosim.program.runner import Run as ChipRun
from cosim.program.stimulus import Step
from cosim.record.record import OUR_RTL, Facts, RunRecord
from hw.spec import ChipShape, Counter
from sw.attack.attacks import attacked
from sw.attack.image_sets import attack_of
from sw.attack.set_names import CLEAN
from sw.data.dataset import Dataset
from sw.integer.fold import fold
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig
from sw.model.network import SpikingNetwork
from sw.train.loop import Trained

SHAPE = ChipShape(columns=3, rows=2, axons=256, dendrites=256)
CONFIG = NetworkConfig(
    name="small",
    dataset="digits",
    input_shape=(1, 8, 8),
    classes=tuple(str(digit) for digit in range(10)),
    layers=(LayerSpec("conv", 4, pool=True), LayerSpec("conv", 4, pool=True), LayerSpec("fc", 12)),
)
FACTS = Facts(
    command="nc64c cosim",
    checkpoint="a file",
    seed=5,
    replayed=None,
    rtl=OUR_RTL,
    jobs=1,
    shards=2,
    shards_found=0,
    started="now",
    wall_s=1.0,
    stages={},
    cpu="a processor",
    cores=1,
    versions={"nc64c": "0"},
)

Responses = list[Response]


def make_networks(seed: int = 0) -> Trained:
    """Untrained networks, the same for the same seed; offsets up to the threshold let them fire."""
    networks = SpikingNetwork(CONFIG), SpikingNetwork(CONFIG, CONFIG.weight_bits)
    for network in networks:
        network.reset(seed)
        generator = torch.Generator().manual_seed(seed)
        for layer in network.chain:
            if layer.norm is not None and layer.theta is not None:
                torch.nn.init.uniform_(layer.norm.bias, 0, layer.theta, generator)
        network.eval()
    return Trained(*networks)


def make_subject(shape: ChipShape = SHAPE) -> Subject:
    """An untrained network on a chip, by default of 3 x 2 cores."""
    networks = make_networks()
    network = fold(networks.quantised_network)
    return Subject(
        float_network=networks.float_network,
        quantised_network=networks.quantised_network,
        network=network,
        mapping=choose_mapping(network, shape),
    )


def make_data(images: int) -> Dataset:
    """Random images and labels."""
    random = np.random.default_rng(5)
    return Dataset(
        name="digits",
        images=random.integers(0, 256, (images, 1, 8, 8), dtype=np.uint8),
        labels=random.integers(0, 10, images),
        classes=CONFIG.classes,
    )


def make_sets(images: int, sets: tuple[str, ...] = ("clean", "fgsm_8")) -> ImageSets:
    """`make_data`, attacked on the network of `make_networks`."""
    data = make_data(images)
    attacks = {name: attack_of(name, seed=5) for name in sets if name != CLEAN}
    made = attacked(make_networks().quantised_network, data, attacks)
    clean = ImageSet(data.images, np.zeros(images, np.bool_))
    found = {
        name: ImageSet(made[name].images, made[name].zero) if name in made else clean
        for name in sets
    }
    return ImageSets(data.name, data.classes, data.labels, data.numbers, found)


def make_shards(
    images: int,
    sets: tuple[str, ...] = ("clean", "fgsm_8"),
    rtl_images: int | None = None,
    noise_bits: int = 0,
) -> list[Shard]:
    """The shards of a run of `make_sets`; all images go through the RTL unless told otherwise."""
    common = RunSettings(
        checkpoint=b"",
        shape=SHAPE,
        seed=5,
        noise_bits=noise_bits,
        front_door=False,
        code="",
    )
    content = make_sets(images, sets)
    return plan(common, content, images if rtl_images is None else rtl_images)


def chips_with(rtl: Runner) -> Chips:
    """A new golden model, and what is in the RTL's place."""
    return Chips(GoldenRunner(), rtl)


def make_run_of(subject: Subject, rtl: Runner, shards: list[Shard]) -> RunRecord:
    """The record of these shards, done one after the other in this process."""
    chips = Chips(shards[0].common.golden.runner(), rtl)
    results = [examine(subject, shard, chips) for shard in shards]
    names = tuple(dict.fromkeys(shard.set for shard in shards))
    content = make_sets(sum(len(one.images) for one in shards if one.set == names[0]), names)
    collected = Collected(shards, results)
    return gather(subject, content, collected, clock_mhz=100.0, build_s=0.0, facts=FACTS)


@dataclass
class FakeRtl:
    """The golden model one image at a time, as if it were the RTL; `fault` spoils its responses."""

    fault: Callable[[Responses], None] = lambda responses: None
    seen: list[int] = field(default_factory=list)

    def run(
        self, program: Program, stimuli: Sequence[Stimulus], advance: Advance = unheard
    ) -> ChipRun:
        chip = GoldenChip(program.shape)
        chip.run([Step(configuration(program), go=False)])
        responses = []
        for stimulus in stimuli:
            responses.append(chip.run(stimulus))
            advance(1)
            self.seen.append(len(stimulus))
        self.fault(responses)
        ticks = sum(step.go for stimulus in stimuli for step in stimulus)
        grid = np.arange(program.shape.cores).reshape(program.shape.rows, program.shape.columns)
        counters = {counter: grid * 10**counter for counter in Counter}
        return ChipRun(responses, Totals(ticks * 1000, ticks, 2.5, counters))
