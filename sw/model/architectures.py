"""The networks that have names: that of the digits, and the paper's VGG5 and VGG9."""

from dataclasses import replace

from sw.common.checks import MAX_FEATURES, check_choice, check_range
from sw.common.errors import InputError
from sw.model.config.layer import LayerSpec
from sw.model.config.network import NetworkConfig

# The network of the committed checkpoint: on the chip, conv2's fan-in (16 channels of 8 x 8) is
# exactly one page of 1024 axons.
DIGITS = NetworkConfig(
    name="digits",
    dataset="digits",
    input_shape=(1, 8, 8),
    classes=tuple(str(digit) for digit in range(10)),
    layers=(
        LayerSpec("conv", 16),
        LayerSpec("conv", 32, pool=True),
        LayerSpec("conv", 32, pool=True),
        LayerSpec("fc", 64),
    ),
)

VGG5_LAYERS = (
    LayerSpec("conv", 64, pool=True),
    LayerSpec("conv", 128),
    LayerSpec("conv", 128, pool=True),
    LayerSpec("fc", 256),
)
VGG9_LAYERS = (
    LayerSpec("conv", 64),
    LayerSpec("conv", 64, pool=True),
    LayerSpec("conv", 128),
    LayerSpec("conv", 128, pool=True),
    LayerSpec("conv", 256),
    LayerSpec("conv", 256),
    LayerSpec("conv", 256, pool=True),
    LayerSpec("fc", 1024),
)
LAYERS = {"digits": DIGITS.layers, "vgg5": VGG5_LAYERS, "vgg9": VGG9_LAYERS}


def named(
    name: str,
    like: NetworkConfig = DIGITS,
    *,
    width: float = 1.0,
    fc_width: int | None = None,
    features: tuple[int, ...] | None = None,
) -> NetworkConfig:
    """A named network for the images, the classes and with the settings of another configuration.

    Args:
        name: "vgg5" (conv 64, pool, conv 128, 128, pool, fc 256, fc 10), "vgg9" (conv 64, 64,
            pool, 128, 128, pool, 256, 256, 256, pool, fc 1024, fc 10) or "digits" (conv 16, 32,
            pool, 32, pool, fc 64, fc 10). The paper does not give the size of VGG5's first fully
            connected layer; 256 is our choice.
        like: where data set, input shape, classes, T, thresholds and so on come from.
        width: a factor on all hidden layers' features; halves round to the even neighbour.
        fc_width: the hidden fully connected layer's neurons instead.
        features: the features of each hidden layer instead of all that.

    Raises:
        InputError: no such network, a width out of range, features for another number of layers,
            or images whose sides cannot be halved as often as the network pools.
    """
    check_choice("unknown network", name, LAYERS)
    if not 0 < width <= MAX_FEATURES:
        raise InputError(f"width is {width}: must be above 0, such as 0.5 for half the features")
    if fc_width is not None:
        check_range("fully connected layer: width", fc_width, 1, MAX_FEATURES)
    layers = [
        replace(layer, features=max(1, round(layer.features * width))) for layer in LAYERS[name]
    ]
    if fc_width is not None:
        layers[-1] = LayerSpec("fc", fc_width)
    if features is not None:
        if len(features) != len(layers):
            raise InputError(
                f"features {'-'.join(map(str, features))}: network {name} has {len(layers)}"
                " hidden layers, and needs a number for each"
            )
        pairs = zip(layers, features, strict=True)
        layers = [replace(layer, features=number) for layer, number in pairs]
    return replace(like, name=name, layers=tuple(layers))
