"""Where a layer stands in its network: what comes in, and the shapes of that."""

from dataclasses import dataclass

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.model.config.layer import Branch, LayerSpec
from sw.model.geometry import can_be_pooled, output_shape, pooled_shape

IMAGES = "input"  # what a layer names to take the network's input
ALONE = "the first layer takes the images and nothing else"
MAX_WEIGHTS = 1 << 28  # of a layer: more than fit any chip, and than should be tried


@dataclass(frozen=True)
class Place:
    """A layer in its network: its name, what comes in, and the shapes of that.

    Attributes:
        name: see `LayerSpec.name`.
        spec: the layer.
        inputs: names of layers, or `IMAGES`.
        input_shape: C, H, W that the weights see.
        branch_shapes: the same of each branch.
        shape: C, H, W of its spikes, after pooling.
    """

    name: str
    spec: LayerSpec
    inputs: tuple[str, ...]
    input_shape: Shape
    branch_shapes: tuple[Shape, ...]
    shape: Shape

    @property
    def recurrent(self) -> bool:
        """Whether it takes its own spikes."""
        return any(branch.source == self.name for branch in self.spec.branches)


def place_layer(
    where: str, name: str, spec: LayerSpec, before: dict[str, Place], images: Shape
) -> Place:
    """The layer that follows those `before`, in a network that takes `images`, C, H, W.

    Raises `InputError`, beginning with `where`, for one that does not fit.
    """
    last = list(before)[-1] if before else IMAGES
    inputs = spec.inputs or (last,)
    others = [branch.source for branch in spec.branches if branch.source != name]
    if not before and (inputs != (IMAGES,) or others):
        raise InputError(f"{where}: {ALONE}")
    if before and IMAGES in (*inputs, *others):
        raise InputError(f"{where}: only the first layer takes the images")
    given = _joined(where, spec, inputs, before, images)
    fired = _fired(where, spec, given)
    after = _pooled(where, spec, fired)
    branches = tuple(
        _branch_shape(where, branch, after if branch.source == name else None, before, fired)
        for branch in spec.branches
    )
    return Place(name, spec, inputs, given, branches, after)


def _joined(
    where: str, spec: LayerSpec, inputs: tuple[str, ...], before: dict[str, Place], images: Shape
) -> Shape:
    """C, H, W that a layer's weights see, of all its inputs."""
    shapes = [images if each == IMAGES else _source(where, each, before).shape for each in inputs]
    if len({shape[not spec.added :] for shape in shapes}) > 1:
        listed = " and ".join(map(str, shapes))
        raise InputError(f"{where}: its inputs are {listed}, which do not fit together")
    flat = [each for each in inputs if each in before and before[each].spec.geometry is None]
    if flat and spec.geometry is not None:
        raise InputError(f"{where}: a convolution cannot follow a fully connected layer")
    channels = shapes[0][0] if spec.added else sum(shape[0] for shape in shapes)
    return (channels, *shapes[0][1:])


def _fired(where: str, spec: LayerSpec, given: Shape) -> Shape:
    """C, H, W of a layer's neurons, before pooling."""
    channels, height, width = given
    shape = output_shape(spec.geometry, spec.features, given)
    if min(shape) < 1:
        raise InputError(f"{where}: its window is larger than its inputs {given}")
    if channels % spec.groups or spec.features % spec.groups:
        raise InputError(
            f"{where}: {spec.groups} groups do not divide {channels} channels and"
            f" {spec.features} features"
        )
    weights = spec.features * channels // spec.groups * spec.taps**2
    if spec.geometry is None:
        weights *= height * width
    if weights > MAX_WEIGHTS:
        raise InputError(f"{where}: has {weights} weights, at most {MAX_WEIGHTS}")
    return shape


def _pooled(where: str, spec: LayerSpec, fired: Shape) -> Shape:
    """C, H, W of a layer's spikes."""
    if not spec.pool:
        return fired
    if spec.pool_window is None:
        if spec.geometry is None or not can_be_pooled(fired):
            raise InputError(f"{where}: only an even-sized convolution can be pooled")
        return pooled_shape(fired)
    after = output_shape(spec.pool_window, spec.features, fired)
    if spec.geometry is None or min(after) < 1 or 2 * spec.pool_window.padding > fired[1]:
        raise InputError(f"{where}: its pooling does not fit {fired}")
    return after


def _source(where: str, name: str, before: dict[str, Place]) -> Place:
    if name not in before:
        raise InputError(f"{where}: takes the spikes of {name!r}, which is no layer before it")
    return before[name]


def _branch_shape(
    where: str, branch: Branch, own: Shape | None, before: dict[str, Place], fired: Shape
) -> Shape:
    """What a branch takes; `own` is the layer's, if it takes its own spikes."""
    given = own or _source(where, branch.source, before).shape
    if output_shape(branch.window, fired[0], given) != fired:
        raise InputError(
            f"{where}: what {branch.source} gives, {given}, does not fit its own {fired}"
        )
    return given
