"""A `RunRecord` of believable numbers, drawn by a seed, to test what reads one."""

from typing import Any

import numpy as np

from cosim.record.chip_facts import Chip, LayerUse
from cosim.record.record import (
    LEVELS,
    OUR_RTL,
    VERSION,
    Example,
    Facts,
    LayerCounts,
    Noise,
    Rtl,
    RunRecord,
    SetRecord,
    Spikes,
)
from hw.spec import Counter
from sw.common.typed import plain, typed

SETS = ("clean", "fgsm_2", "fgsm_8", "fgsm_16")
LAYERS = ("conv1", "conv2", "conv3", "fc1")


def make_run(seed: int = 0, images: int = 200, columns: int = 8, rows: int = 8) -> RunRecord:
    """A run of four sets on a chip of `columns` x `rows`, RTL equal to golden everywhere."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, images)
    sets = {
        name: _set(random, labels, error) for name, error in zip(SETS, (2, 5, 16, 40), strict=True)
    }

    def grid(most: int) -> list[list[int]]:
        use = np.linspace(1, 0.2, columns) * np.linspace(0.3, 1, rows)[:, None]
        values = (use * random.integers(most // 2, most, (rows, columns))).astype(int)
        values[:, columns - 1] = 0
        return [list(map(int, row)) for row in values]

    layers = [
        LayerUse(
            layer=layer,
            cores=cores,
            neurons=neurons,
            dendrites=neurons * 5,
            axons=cores * 576,
            synapses=neurons * 720,
        )
        for layer, cores, neurons in (("conv2", 16, 2048), ("conv3", 6, 512), ("fc1", 1, 64))
    ]
    return RunRecord(
        format="nc64c-run",
        version=VERSION,
        dataset="digits",
        network="digits",
        encoding="direct",
        weight_bits=4,
        timesteps=4,
        classes=[str(digit) for digit in range(10)],
        labels=[int(label) for label in labels],
        rtl_images=images,
        noise=Noise(bits=0, share=0.0),
        clock_mhz=100.0,
        chip=Chip(
            columns=columns,
            rows=rows,
            axons=1024,
            dendrites=1024,
            mapping="resident",
            layers=layers,
            schedule=[],
            neurons=grid(205),
            synapses=grid(90_000),
        ),
        sets=sets,
        examples=[_example(random, index) for index in range(min(6, images))],
        rtl=Rtl(
            ticks=images * len(SETS) * 7,
            cycles=images * len(SETS) * 5321,
            process_s=142.5,
            wall_s=71.25,
            build_s=38.5,
            read_back=1.0,
            counters={
                counter.name.lower(): grid(most)
                for counter, most in zip(
                    Counter,
                    (5600, 2_800_000, 900_000, 120_000, 60_000_000, 4_100_000, 9_000),
                    strict=True,
                )
            },
            layers={
                layer: LayerCounts(
                    cycles=None,
                    ticks=None,
                    synaptic_ops=int(random.integers(10**6, 10**9)),
                    flits=int(random.integers(10**5, 10**7)),
                )
                for layer in LAYERS[1:]
            },
        ),
        facts=Facts(
            command="nc64c cosim --out out/demo",
            checkpoint="checkpoints/digits.safetensors",
            seed=0,
            replayed=None,
            rtl=OUR_RTL,
            jobs=2,
            shards=8,
            shards_found=0,
            started="2026-11-24 12:00:00 UTC",
            wall_s=141.3,
            stages={"attacks": 2.5, "golden": 20.0, "RTL": 71.25},
            cpu="A Processor @ 2.50GHz",
            cores=2,
            versions={"nc64c": "0.1.0", "python": "3.11.7", "verilator": "5.48.0"},
        ),
    )


def spoilt(run: RunRecord, changes: dict[str, Any]) -> Any:
    """A run as JSON has it, with other values at paths such as "chip.columns"."""
    content = plain(run)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = content
        for name in parents:
            place = place[int(name) if name.isdigit() else name]
        place[int(last) if last.isdigit() else last] = value
    return content


def changed(run: RunRecord, changes: dict[str, Any]) -> RunRecord:
    """The run with other values at paths such as "chip.columns"."""
    return typed(spoilt(run, changes), RunRecord)


def _set(random: np.random.Generator, labels: Any, error: int) -> SetRecord:
    """A set that about `error` per cent of the images are taken wrong in."""
    wrong = random.random(len(labels)) * 100 < error
    answers = [int(answer) for answer in np.where(wrong, (labels + 1) % 10, labels)]
    spikes: Spikes = {}
    for layer in LAYERS:
        counts = random.integers(20_000, 90_000, 3)
        levels = LEVELS[:2] if layer == LAYERS[0] else LEVELS
        spikes[layer] = {
            level: int(count) for level, count in zip(levels, [*counts, counts[2]], strict=False)
        }
    return SetRecord(
        images_sha256=f"{error:064x}",
        zero_gradients=0,
        predictions={level: list(answers) for level in LEVELS},
        spikes=spikes,
        compared_spikes=sum(counts.get("golden", 0) for counts in spikes.values()),
        compared_membranes=len(labels) * 2634,
        mismatched_spikes=0,
        mismatched_membranes=0,
        first_mismatch=None,
        mapping_mismatches=0,
    )


def _example(random: np.random.Generator, index: int) -> Example:
    y, x = np.mgrid[:8, :8]
    clean = 255 * np.exp(-((np.hypot(x - 3.5, y - 3.5) - random.uniform(1.5, 3)) ** 2))
    images = {}
    for name, eps in zip(SETS, (0, 2, 8, 16), strict=True):
        pixels = np.clip(clean + eps * random.choice((-1, 1), (8, 8)), 0, 255)
        images[name] = [list(map(int, row)) for row in pixels]
    return Example(index=index, images=images)
