"""Follows a model through its forward pass: which module is given what, as layers in floats.

Tensors are known by identity. Modules that are known are taken as a whole; functions between them
are seen one by one. A model that loops over its steps does the same in each, which is made once.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sw.common.checks import Shape
from sw.common.errors import InputError
from sw.convert import linear_map
from sw.convert.convolution import by_neuron
from sw.convert.float_layer import FloatLayer, any_of, arms
from sw.convert.traced import modules
from sw.convert.traced.flow import Flow, Other, Raw, Value, added
from sw.convert.traced.neurons import Rule, rule_of
from sw.convert.traced.pools import Pool
from sw.integer.network import INPUT

# fmt: off
PASS = {
    "flatten", "view", "reshape", "squeeze", "unsqueeze", "contiguous", "clone", "detach", "to",
    "float", "double", "dropout", "expand", "repeat", "unflatten", "requires_grad_", "view_as",
}
# fmt: on
ADD = {"add", "__add__", "__radd__", "__iadd__", "add_"}
SCALE = {"mul": 1, "__mul__": 1, "__rmul__": 1, "div": -1, "__truediv__": -1, "true_divide": -1}
RAW = Raw()


class Tracer(TorchFunctionMode):
    """Layers of a model, while it runs within it as a context.

    Args:
        model: with its hooks set by this.
        shape: C, H, W of an image of the sample, if it has any: flattened inputs keep it.
    """

    def __init__(self, model: nn.Module, shape: Shape | None) -> None:
        super().__init__()
        self._shape = shape
        self._inside = 0  # modules that are taken as a whole, one within another
        self._kept: list[Tensor] = []
        self._values: dict[int, Value] = {}
        self._done: dict[tuple[Any, ...], Value] = {}
        self._first: dict[str, Value] = {}  # what each module was given at first
        self._flows: dict[str, Flow] = {}  # of modules that are linear or neurons
        self._pools: dict[str, Flow] = {}  # of layers that are pooled
        self._taker: str | None = None  # the module that takes the input
        self.layers: dict[str, FloatLayer] = {}
        self.rules: dict[str, Rule] = {}
        self.inputs: list[Tensor] = []
        self.spikes: dict[str, list[Tensor]] = {}
        self.steps: dict[str, int] = {}
        for name, module in model.named_modules():
            if self._whole(name, module):
                module.register_forward_pre_hook(self._enter)
                module.register_forward_hook(self._leave(name), with_kwargs=True)

    def given(self, tensor: Tensor) -> None:
        """Says that a tensor is the network's input."""
        self._set(tensor, RAW)

    def finish(self) -> list[FloatLayer]:
        """All layers in order. Raises `InputError` unless one of them is the output."""
        for name, pooled in self._pools.items():
            if pooled.used and self._flows[name].used:
                raise InputError(f"{name}: its spikes are used both pooled and not")
        flows = self._flows | self._pools
        unused = {name: flow for name, flow in flows.items() if not flow.used}
        above = {far for flow in unused.values() for far in flow.above}
        ends = [name for name, flow in unused.items() if flow not in above]
        if len(ends) != 1:
            raise InputError(
                f"the model must have one output, but nothing takes {' and '.join(ends) or 'none'}"
            )
        [last] = ends
        if last not in self.layers:
            every = arms(last, self._flows[last].use(), last)
            zeros = np.zeros(every[0].drive.outputs[0])
            self.layers[last] = FloatLayer(
                last, every[0].sources, every[0].drive, 1.0, zeros, False, beside=every[1:]
            )
        elif self.layers[last].reset == "none":
            self.layers[last] = replace(self.layers[last], spiking=False)
        layers = [layer for name, layer in self.layers.items() if name != last]
        return [*layers, self.layers[last]]

    def _whole(self, name: str, module: nn.Module) -> bool:
        """Whether a module is taken as a whole; its own modules are within it."""
        if rule_of(name, module) is not None or isinstance(module, modules.LINEAR):
            return True
        return not any(module.children())

    def _enter(self, module: nn.Module, args: Any) -> None:
        self._inside += 1

    def _leave(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            self._inside -= 1
            if self._inside:
                return
            self._inside += 1  # what is asked of tensors here is no part of the model
            tensors = list(_tensors((args, kwargs)))
            if tensors and id(tensors[0]) in self._values:
                self._module(name, module, tensors[0], output)
            self._inside -= 1

        return hook

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = _in_float64(func, args, kwargs or {})
        if self._inside:
            return output
        known = [each for each in _tensors((args, kwargs)) if id(each) in self._values]
        if known:
            value = self._function(getattr(func, "__name__", str(func)), known, args, kwargs or {})
            for each in _tensors(output):
                self._set(each, value)
        return output

    def _set(self, tensor: Tensor, value: Value) -> None:
        self._kept.append(tensor)  # so that no other tensor gets its identity
        self._values[id(tensor)] = value

    def _function(self, name: str, known: list[Tensor], args: Any, kwargs: Any) -> Value:
        """What a function makes of tensors, at least one of which is followed."""
        values = [self._values[id(each)] for each in known]
        plain = [repr(each) for each in (*args, *kwargs.values()) if not isinstance(each, Tensor)]
        key = (name, *map(id, values), *plain) if len(str(plain)) < 200 else ()
        if not key or key not in self._done:
            self._done[key] = self._made(name, known, values, args, kwargs)
        return self._done[key]

    def _made(
        self, name: str, known: list[Tensor], values: list[Value], args: Any, kwargs: Any
    ) -> Value:
        other = next((value for value in values if isinstance(value, Other)), None)
        if other is not None:
            return other
        if all(isinstance(value, Raw) for value in values):
            return RAW
        if name in ADD and len(known) == 2:
            one, two = (self._flow(name, None, each) for each in known)
            return added("an addition", one, two)
        [value, *more] = values
        if more or not isinstance(value, Flow):
            return Other(name)
        if name in PASS:
            return value
        numbers = [each for each in args if isinstance(each, int | float)]
        if name in ADD and numbers == [0]:
            return value
        if name in SCALE and len(numbers) == 1:
            factor = float(numbers[0]) ** SCALE[name]
            return Flow(lambda: modules.scaled(value.maps, *_channels(value, factor)), value)
        if "max_pool2d" in name:
            return self._max_pool(value, Pool.of_call(args, kwargs))
        if name == "avg_pool2d":
            it = Pool.of_call(args, kwargs)
            return Flow(
                lambda: modules.averaged(name, value.maps, it.kernel, it.stride, it.padding), value
            )
        return Other(name)

    def _flow(self, name: str, module: nn.Module | None, tensor: Tensor) -> Flow:
        """The flow of a tensor that a layer is given; the input's begins here."""
        value = self._values[id(tensor)]
        if isinstance(value, Other):
            raise InputError(
                f"{name}: is given what {value.why} makes, which is no sum of spikes: this chip "
                "cannot do it"
            )
        if isinstance(value, Flow):
            return value
        self._taker = self._taker or name
        if self._taker == name:
            self.inputs.append(tensor.detach())
        key = ("input", name)
        if key not in self._done:
            shape = modules.input_shape(module or nn.Identity(), tensor)
            if self._shape is not None and np.prod(shape) == np.prod(self._shape):
                shape = self._shape
            self._done[key] = Flow(lambda: {INPUT: linear_map.identity(shape)})
        found = self._done[key]
        assert isinstance(found, Flow)
        return found

    def _module(self, name: str, module: nn.Module, tensor: Tensor, output: Any) -> None:
        value = self._values[id(tensor)]
        rule = rule_of(name, module)
        outputs = list(_tensors(output))
        if modules.passes(module):
            done: Value = value
        elif isinstance(module, nn.MaxPool2d) and isinstance(value, Flow):
            key = (name, id(value))
            if key not in self._done:
                self._done[key] = self._max_pool(value, Pool.of_module(module))
            done = self._done[key]
        elif rule is None and not isinstance(module, modules.LINEAR):
            done = value if isinstance(value, Raw) else Other(f"{name} ({type(module).__name__})")
        else:
            flow = self._flow(name, module, tensor)
            if self._first.setdefault(name, flow) is not flow:
                raise InputError(f"{name}: is used in two places: give each a module of its own")
            if name not in self._flows:
                self._flows[name] = self._layer(name, module, rule, flow)
            done = self._flows[name]
            if rule is not None:
                self._record(name, module, outputs[0])
        if outputs:
            self._set(outputs[0], done)
        for more in outputs[1:]:
            self._set(more, Other(f"the membrane of {name}"))

    def _layer(self, name: str, module: nn.Module, rule: Rule | None, flow: Flow) -> Flow:
        if rule is None:
            return Flow(lambda: modules.applied(name, module, flow.maps), flow)
        every = arms(name, flow.use(), name)
        shape = every[0].drive.outputs
        threshold = by_neuron(name, rule.threshold, every[0].drive)
        gain = np.full(shape[0], rule.gain)
        self.rules[name] = rule
        self.layers[name] = FloatLayer(
            name,
            every[0].sources,
            linear_map.scaled(every[0].drive, gain),
            rule.keep,
            threshold,
            spiking=True,
            reset=rule.reset,
            fires=rule.fires,
            late=rule.late,
            beside=tuple(
                replace(arm, drive=linear_map.scaled(arm.drive, gain)) for arm in every[1:]
            ),
        )
        return Flow(lambda: {name: linear_map.identity(shape)})

    def _record(self, name: str, module: nn.Module, spikes: Tensor) -> None:
        self.spikes.setdefault(name, []).append(spikes.detach())
        steps = int(spikes.shape[0]) if getattr(module, "step_mode", "s") == "m" else 1
        self.steps[name] = self.steps.get(name, 0) + steps

    def _max_pool(self, value: Flow, pool: Pool) -> Value:
        """Maximum pooling of the spikes of a layer, which is an OR.

        That of 2 x 2 costs nothing; any other one is a layer of its own.
        """
        name = next((name for name in self.layers if self._flows[name] is value), None)
        if name is None:
            return Other("maximum pooling of sums (put it behind the neurons)")
        if not pool.whole:
            return Other("maximum pooling with dilation or ceil_mode")
        outputs = self.layers[name].drive.outputs
        if pool.free(outputs):
            self.layers[name] = replace(self.layers[name], pool=True)
            shape = outputs[0], outputs[1] // 2, outputs[2] // 2
            self._pools[name] = Flow(lambda: {name: linear_map.identity(shape)})
            return self._pools[name]
        own = f"{name}_pool{len(self.layers)}"
        layer = any_of(own, name, outputs, pool.window(f"maximum pool of {name}"))
        value.use()
        self.layers[own] = layer
        self._flows[own] = Flow(lambda: {own: linear_map.identity(layer.drive.outputs)})
        return self._flows[own]


def _in_float64(func: Any, args: Any, kwargs: Any) -> Any:
    """Calls a function; where it would turn to float32, it stays in float64."""
    wide = torch.float64
    args = [wide if each is torch.float32 else each for each in args]
    kwargs = {name: wide if each is torch.float32 else each for name, each in kwargs.items()}
    return torch.Tensor.double(*args) if func is torch.Tensor.float else func(*args, **kwargs)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _channels(flow: Flow, factor: float) -> tuple[Any, Any]:
    channels = next(iter(flow.maps.values())).outputs[0]
    return np.full(channels, factor), np.zeros(channels)
