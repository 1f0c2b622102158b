"""`nc64c train`, its options and what it says when it is cut off.

A training that is cut off has written something: its state after the last whole epoch, from which
the same command goes on.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cosim.cli.guard import guarded
from sw.common.checks import check_shape, shown
from sw.common.errors import InputError

if TYPE_CHECKING:
    from sw.train import settings

MAX_SEED = 2**32 - 1
EXAMPLE = (
    "Examples: `nc64c train --out digits.safetensors`, `nc64c train --dataset cifar10"
    " --data cifar-10 --network vgg5 --epochs 16 --out vgg5.safetensors`,"
    " `nc64c train --layers net.toml --out net.safetensors`; recordings of an event camera, in"
    " folders Train and Test of folders of classes: `nc64c train --dataset spikes --data N-MNIST"
    " --shape 2x34x34 --timesteps 30 --tick 0.01 --layers net.toml --out net.safetensors`"
)

SHRINK_EXAMPLE = "Example: `nc64c shrink vgg5.safetensors --out small.safetensors`"

_LIKE = "the data set's recipe"
OutOption = Annotated[Path, typer.Option(help="Checkpoint to write (safetensors).")]
DatasetOption = Annotated[
    str,
    typer.Option(
        help="digits, cifar10, cifar100, mnist, fashion-mnist, or spikes of yours; or some classes,"
        " digits:0,1,7."
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--data", "--folder", help="Where the data set's files are.", show_default="none"),
]
NetworkOption = Annotated[
    str | None,
    typer.Option(help="digits, vgg5 or vgg9.", show_default="digits for digits, else vgg5"),
]
LayersOption = Annotated[
    Path | None,
    typer.Option(help="TOML description of the layers, instead.", show_default="none"),
]
WidthOption = Annotated[float, typer.Option(help="Factor on the features of all hidden layers.")]
FcWidthOption = Annotated[
    int | None, typer.Option(help="Neurons of the hidden fully connected layer.", show_default="")
]
FeaturesOption = Annotated[
    str | None, typer.Option(help="Features of each hidden layer: 64-128-128-256.", show_default="")
]
ShapeOption = Annotated[
    str | None,
    typer.Option(
        help="Of spikes: channels x height x width of a step, 2x34x34.", show_default="the arrays'"
    ),
]
TickOption = Annotated[
    float | None,
    typer.Option(help="Of spikes: seconds of a step, for events.", show_default="none"),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(help="Of images: direct, rate, phase or latency.", show_default="direct"),
]
PoolingOption = Annotated[str, typer.Option(help="or, or average (software only).")]
NormOption = Annotated[bool, typer.Option(help="Batch norm in the hidden layers.")]
TimestepsOption = Annotated[
    int | None,
    typer.Option(help="Steps per image, T.", show_default="4; of spikes as many as arrays have"),
]
ThetaOption = Annotated[float, typer.Option(help="Threshold of the convolutions.")]
FcThetaOption = Annotated[float, typer.Option(help="Threshold of fully connected layers.")]
LeakOption = Annotated[float, typer.Option(help="Share of a membrane that a step keeps, lambda.")]
BitsOption = Annotated[int, typer.Option(help="Bits of the quantised weights, K.")]
SeedOption = Annotated[int, typer.Option(help="Of all that is drawn.", min=0, max=MAX_SEED)]
EpochsOption = Annotated[int | None, typer.Option(help="In float.", show_default=_LIKE)]
QuantisedOption = Annotated[int | None, typer.Option(help="Then quantised.", show_default=_LIKE)]
ShortOption = Annotated[
    int, typer.Option(help="The first of those in float: with half the steps, in half the time.")
]
RateOption = Annotated[float | None, typer.Option(help="Highest rate.", show_default=_LIKE)]
QuantisedRateOption = Annotated[
    float | None, typer.Option(help="The same, quantised.", show_default=_LIKE)
]
BatchOption = Annotated[int | None, typer.Option(help="Images per step.", show_default=_LIKE)]
DecayOption = Annotated[float | None, typer.Option(help="AdamW's.", show_default=_LIKE)]
ThreadsOption = Annotated[int | None, typer.Option(help="Of PyTorch.", show_default=_LIKE)]
AugmentOption = Annotated[
    bool | None, typer.Option(help="Random crops, and flips but of digits.", show_default=_LIKE)
]
FastOption = Annotated[
    bool | None, typer.Option(help="bfloat16 and compiled neurons.", show_default=_LIKE)
]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or cuda:1 and so on.")]
ValidationOption = Annotated[int, typer.Option(help="Training images to only measure.")]
StartOption = Annotated[
    Path | None,
    typer.Option(
        help="Checkpoint: start with its float weights.", show_default="drawn by the seed"
    ),
]
AdversarialOption = Annotated[
    str | None,
    typer.Option(help="Learn from attacked images: fgsm, pgd or trades.", show_default="as is"),
]
EpsOption = Annotated[int | None, typer.Option(help="Their strength, in 1/255.", show_default="8")]
StepsOption = Annotated[
    int | None,
    typer.Option(help="Steps of that attack.", show_default="fgsm 1, pgd 7, trades 10"),
]
WeightOption = Annotated[
    float | None, typer.Option(help="Of the second part of TRADES' loss.", show_default="6")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no result.")]


def train(
    out: OutOption,
    dataset: DatasetOption = "digits",
    folder: FolderOption = None,
    shape: ShapeOption = None,
    tick: TickOption = None,
    network: NetworkOption = None,
    layers: LayersOption = None,
    width: WidthOption = 1.0,
    fc_width: FcWidthOption = None,
    features: FeaturesOption = None,
    encoding: EncodingOption = None,
    pooling: PoolingOption = "or",
    norm: NormOption = True,
    timesteps: TimestepsOption = None,
    theta: ThetaOption = 0.4,
    fc_theta: FcThetaOption = 1.0,
    leak: LeakOption = 0.5,
    bits: BitsOption = 4,
    seed: SeedOption = 1,
    epochs: EpochsOption = None,
    quantised_epochs: QuantisedOption = None,
    short_epochs: ShortOption = 0,
    rate: RateOption = None,
    quantised_rate: QuantisedRateOption = None,
    batch: BatchOption = None,
    weight_decay: DecayOption = None,
    threads: ThreadsOption = None,
    augment: AugmentOption = None,
    fast: FastOption = None,
    validation: ValidationOption = 0,
    start: StartOption = None,
    adversarial: AdversarialOption = None,
    eps: EpsOption = None,
    attack_steps: StepsOption = None,
    trades_weight: WeightOption = None,
    device: DeviceOption = "cpu",
    quiet: QuietOption = False,
) -> None:
    """Train a network in float, then with quantised weights, and save both.

    The learning curve is beside the checkpoint, a JSON object per epoch. A training that was cut
    off goes on after its last whole epoch when the same command is given again.
    """
    given = {
        "epochs": epochs,
        "quantised_epochs": quantised_epochs,
        "rate": rate,
        "quantised_rate": quantised_rate,
        "batch": batch,
        "weight_decay": weight_decay,
        "threads": threads,
        "augment": augment,
        "fast": fast,
    }
    with guarded(quiet, _left(out)) as progress:
        from cosim.mapping.ahead import refusal
        from sw.data.spikes import SpikeForm
        from sw.train import task as training

        sizes = None if shape is None else input_shape(shape)
        taken = {"encoding": encoding, "timesteps": timesteps}
        task = training.TrainTask(
            dataset=dataset,
            folder=folder,
            form=SpikeForm(timesteps, sizes, tick),
            out=out,
            network=network,
            layers=layers,
            width=width,
            fc_width=fc_width,
            features=features,
            config={name: value for name, value in taken.items() if value is not None}
            | {
                "pooling": pooling,
                "norm": norm,
                "theta_conv": theta,
                "theta_fc": fc_theta,
                "leak": leak,
                "weight_bits": bits,
            },
            settings={name: value for name, value in given.items() if value is not None}
            | {
                "seed": seed,
                "short_epochs": short_epochs,
                "validation": validation,
                "adversarial": attacked(adversarial, eps, attack_steps, trades_weight),
            },
            device=device,
            start=start,
        )
        accuracies = training.train(task, progress, refusal)
    if not quiet:
        listed = ", ".join(f"{name} {value:.2f} %" for name, value in accuracies.items())
        typer.echo(f"{out}: accuracy on held-out images is {listed}")


def shrink(
    checkpoint: Annotated[Path, typer.Argument(help="What train wrote.")], out: OutOption
) -> None:
    """Write a checkpoint again in a fraction of its size, for keeping.

    The quantised network stays the same, bit for bit. The float network's weights are rounded to
    float16: its figures are to be measured again.
    """
    with guarded():
        from sw.train import task as training

        before, after = training.shrink(checkpoint, out)
    typer.echo(f"{out}: {after:,} bytes instead of {before:,}")


def attacked(
    method: str | None, eps: int | None, steps: int | None, weight: float | None
) -> "settings.Adversarial | None":
    """How images are attacked to learn from. Raises `InputError`, also for options without use."""
    from sw.train import settings

    given = {"eps": eps, "attack-steps": steps, "trades-weight": weight}
    if method is None:
        for name, value in given.items():
            if value is not None:
                raise InputError(f"--{name} is of attacked images: there must be --adversarial too")
        return None
    return settings.adversarial(method, eps, steps, weight)


def input_shape(text: str) -> tuple[int, int, int]:
    """C, H, W from 2x34x34. Raises `InputError` if it is anything else."""
    size = re.fullmatch(r"(\d{1,6})x(\d{1,6})x(\d{1,6})", text, re.ASCII)
    if size is None:
        raise InputError(f"shape {shown(text)}: must be channels x height x width, such as 2x34x34")
    channels, height, width = map(int, size.groups())
    check_shape("shape", (channels, height, width))
    return channels, height, width


def _left(out: Path) -> Callable[[], str]:
    """What an interrupted training has left, if it came to the end of an epoch."""

    def left() -> str:
        from sw.train import task as training

        kept = training.beside(out, training.STATE)
        return f"the same command goes on from {kept}" if kept.exists() else "nothing was written"

    return left
