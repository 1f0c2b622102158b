"""Models of snnTorch and SpikingJelly, trained here: our floats are theirs, spike for spike."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from hw.spec import ChipShape
from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.steps import run_floats, steps
from sw.convert.traced.model import import_torch
from sw.data.user.inputs import UserInputs
from tests.support import spiking
from tests.support.spiking import STEPS, SnnTorchNet, counted, images, spikingjelly_net, trained

SMALL = ChipShape(2, 2, 128, 64)
MODELS: dict[str, Callable[[], nn.Module]] = {
    "snntorch-conv": lambda: SnnTorchNet(True),
    "snntorch-dense": lambda: SnnTorchNet(False),
    "spikingjelly-conv": lambda: spikingjelly_net(True),
    "spikingjelly-conv-multi-step": lambda: spikingjelly_net(True, multi_step=True),
    "spikingjelly-dense": lambda: spikingjelly_net(False),
}
CODES: list[dict[str, Any]] = [{"bits": 8, "code": "twos"}, {"bits": 7}, {"bits": 4}]
COUNT = 40


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return trained(MODELS[request.param])


def sample(model: nn.Module, count: int = COUNT) -> Tensor:
    pixels, _ = images("test", count)
    many = getattr(model, "step_mode", "s") == "m" or (
        isinstance(model, nn.Sequential) and getattr(model[-1], "step_mode", "s") == "m"
    )
    return pixels.expand(STEPS, *pixels.shape) if many else pixels


def shown(count: int = COUNT) -> UserInputs:
    pixels, labels = images("test", count)
    values = (pixels * 255).round().numpy().astype(np.uint8)
    return UserInputs(values, False, labels.numpy())


@pytest.mark.slow
def test_floats_answer_as_the_model_does(model: nn.Module) -> None:
    """Every spike on the sample (the import checks that), and the counts of the model itself."""
    found = import_torch(model, sample(model), Decisions(STEPS))
    assert found.document["checked"]["different"] == 0
    assert found.document["checked"]["spikes"] > 500
    assert found.network.encoding == "direct"
    with torch.no_grad():
        theirs = counted(model, images("test", COUNT)[0])
    every = images("test", COUNT)[0].double().expand(STEPS, -1, -1, -1, -1)
    ours = run_floats(found.floats, every).membranes["count"][-1]
    assert torch.equal(ours.flatten(1).float(), theirs)
    labels = images("test", COUNT)[1]
    assert (theirs.argmax(1) == labels).float().mean() > 0.5  # it is a network that knows something


@pytest.mark.slow
@pytest.mark.parametrize("decisions", CODES)
def test_integers_are_golden(model: nn.Module, decisions: dict[str, Any]) -> None:
    found = import_torch(model, sample(model), Decisions(STEPS, **decisions))
    mapping = choose_mapping(found.network, SMALL)
    done = run_own(found.network, mapping, {"in": shown(8)}, None)
    assert done.equal
    results = steps(found, shown().values)
    names = [each.name for each in results]
    assert names == ["framework", "leak", "weights", "thresholds", "integer"]
    first = results[0]
    for each in results[1:]:
        same = float((each.predictions == first.predictions).mean())
        assert same >= (0.7 if decisions["bits"] == 4 and each.name != "leak" else 0.9), each.name


@pytest.mark.rtl
@pytest.mark.parametrize("name", ["snntorch-dense", "spikingjelly-conv"])
def test_through_the_rtl(name: str) -> None:
    from cosim.rtl.runner import verilated

    model = trained(MODELS[name])
    found = import_torch(model, sample(model, 4), Decisions(STEPS, bits=4))
    mapping = choose_mapping(found.network, SMALL)
    done = run_own(found.network, mapping, {"in": shown(10)}, verilated(SMALL))
    assert done.equal
    found_spikes = done.sets["in"].result.answers["rtl"]
    assert sum(sum(each.spikes.values()) for each in found_spikes) > 5


def _keep(seen: list[Tensor], module: nn.Module, given: Any, output: Any) -> None:
    seen.append(output[1])


@pytest.mark.slow
def test_membranes_are_those_of_snntorch() -> None:
    """Also where the threshold is lost in the step after; before a reset, as it returns them."""
    for reset in ("subtract", "zero"):
        net = trained(lambda reset=reset: SnnTorchNet(False, 0.75, reset), epochs=1)  # type: ignore[misc]
        seen: list[Tensor] = []
        hook = partial(_keep, seen)
        net.lif1.register_forward_hook(hook)  # type: ignore[union-attr]
        with torch.no_grad():
            net(images("test", COUNT)[0])
        theirs = torch.stack(seen).double()
        found = import_torch(net, sample(net), Decisions(STEPS, approximate=True))
        every = images("test", COUNT)[0].double().expand(STEPS, -1, -1, -1, -1)
        run = run_floats(found.floats, every)
        ours = run.membranes["lif1"].flatten(2)
        if reset == "zero":  # theirs become 0 within the next step
            assert torch.allclose(ours, theirs, atol=1e-5)
        else:
            assert torch.allclose(ours, theirs, atol=1e-5)
            names = [each.name for each in steps(found, shown().values)]
            assert names[:2] == ["framework", "semantics"]
            assert any("after the leak" in each for each in found.document["layers"][0]["notes"])


class Odd(nn.Module):
    """A model of snnTorch whose inner step is given."""

    def __init__(self, step: Callable[..., Any], **settings: Any) -> None:
        super().__init__()
        snn = spiking.snntorch()
        self.step = step
        self.fc, self.other = nn.Linear(64, 10), nn.Linear(10, 10)
        self.lif = snn.Leaky(**({"beta": 0.5, "reset_mechanism": "zero"} | settings))

    def forward(self, images: Tensor) -> Any:
        found, v = None, self.lif.reset_mem()
        for _ in range(STEPS):
            found, v = self.step(self, images.flatten(1), v)
        return found


REFUSED: tuple[tuple[Callable[..., Any], dict[str, Any], str], ...] = (
    (lambda m, x, v: m.lif(m.fc(x).relu(), v), {}, "lif: is given what relu makes"),
    (lambda m, x, v: m.lif(m.fc(x).sort()[0], v), {}, "lif: is given what sort makes"),
    (lambda m, x, v: m.lif(m.other(m.other(m.fc(x))), v), {}, "other: is used in two places"),
    (lambda m, x, v: m.lif(m.fc(x) * m.fc(x), v), {}, "lif: is given what .*mul.* makes"),
    (lambda m, x, v: (m.fc(x), v), {}, "the model has no neurons of snnTorch"),
    (
        lambda m, x, v: (m.other(m.lif(m.fc(x), v)[0]), m.lif.mem),
        {"reset_mechanism": "subtract"},
        "layer lif: a spike loses the threshold after the leak",
    ),
    (lambda m, x, v: m.lif(m.fc(x), v), {"beta": 0.9}, r"keeps 0\.9 of a membrane"),
    (lambda m, x, v: m.lif(m.fc(x), v), {"beta": torch.arange(10) / 10}, "have several betas"),
    (lambda m, x, v: m.lif(m.fc(x), v), {"inhibition": True}, "has inhibition"),
    (lambda m, x, v: m.lif(m.fc(x[:, :3]), v), {}, "the model cannot be run with the sample"),
    (lambda m, x, v: m.lif(m.fc(x - 2), v), {}, r"the first layer is given -2 to -1"),
    (lambda m, x, v: m.lif(m.fc(x.flip(1)), v), {}, ""),  # of the input anything may be made
)


@pytest.mark.parametrize(("step", "settings", "sentence"), REFUSED)
def test_what_cannot_be_followed(
    step: Callable[..., Any], settings: dict[str, Any], sentence: str
) -> None:
    torch.manual_seed(1)
    model = Odd(step, **settings)
    if not sentence:
        assert import_torch(model, sample(model), Decisions(STEPS)).network.classes
        return
    with pytest.raises(InputError, match=sentence) as caught:
        import_torch(model, sample(model), Decisions(STEPS))
    assert "\n" not in str(caught.value)


def test_a_model_that_does_what_is_not_seen_is_refused() -> None:
    """Numbers that are changed behind PyTorch's back: the spikes on the sample give it away."""

    def step(model: Any, x: Tensor, v: Tensor) -> Any:
        current = model.fc(x)
        current.numpy()[:] *= -1
        return model.lif(current, v)

    with pytest.raises(InputError, match="it does what cannot be followed"):
        import_torch(Odd(step), sample(Odd(step)), Decisions(STEPS))


def test_other_neurons_and_wrong_steps() -> None:
    snn = spiking.snntorch()

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.lif = nn.Linear(64, 10), snn.Synaptic(alpha=0.5, beta=0.5)

        def forward(self, x: Tensor) -> Any:
            return self.lif(self.fc(x.flatten(1)), *self.lif.init_synaptic())

    with pytest.raises(InputError, match="lif is Synaptic, which this chip cannot do"):
        import_torch(Two(), images("test", 2)[0], Decisions(STEPS))
    net = SnnTorchNet(False)
    with pytest.raises(InputError, match="lif1: made 6 steps, timesteps is 7"):
        import_torch(net, images("test", 2)[0], Decisions(7))
    with pytest.raises(InputError, match="has 2 tensors, must be one for each step, 6"):
        import_torch(net, list(images("test", 2)[0]), Decisions(STEPS))


def test_hidden_states_that_training_has_left() -> None:
    """snnTorch's init_hidden: the model copied is as after a reset, whoever does it."""
    snn = spiking.snntorch()
    utils = pytest.importorskip("snntorch.utils")
    torch.manual_seed(2)
    net = nn.Sequential(
        nn.Conv2d(2, 6, 5),
        snn.Leaky(beta=0.5, threshold=0.2, init_hidden=True, reset_mechanism="zero"),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 2 * 2, 4),
        snn.Leaky(beta=0.5, init_hidden=True, output=True, reset_mechanism="zero"),
    )
    spikes = (torch.rand(STEPS, 3, 2, 8, 8) < 0.3).float()
    with torch.no_grad():
        for each in spikes:
            net(each)
    found = import_torch(net, list(spikes), Decisions(STEPS))
    assert found.document["checked"]["different"] == 0
    assert found.document["checked"]["spikes"] > 20

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, given: Tensor) -> Tensor:
            utils.reset(self.net)
            return torch.stack([self.net(each)[0] for each in given])

    again = import_torch(Whole(), spikes, Decisions(STEPS))
    assert again.document["checked"] == found.document["checked"]
    for one, other in zip(found.network.layers, again.network.layers, strict=True):
        assert np.array_equal(one.weights, other.weights)
    utils.reset(net)
    for each in spikes:
        net(each)
    with pytest.raises(InputError, match="clear its states first"):
        import_torch(net, list(spikes), Decisions(STEPS))


def test_spikes_step_by_step() -> None:
    """A model of one step a call, shown other spikes in each; a branch is added."""
    parts = spiking.spikingjelly()

    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.n, self.m, self.o = (parts.neuron.IFNode() for _ in range(3))
            self.c, self.last = nn.Conv2d(4, 4, 1), nn.Linear(4 * 36, 3)

        def forward(self, x: Tensor) -> Any:
            first = self.n(2 * self.a(x))
            both = self.m(self.b(first)) + first
            return self.last(self.o(self.c(both)).flatten(1))

    torch.manual_seed(3)
    model = Branch()
    spikes = (torch.rand(STEPS, 5, 2, 6, 6) < 0.3).float()
    found = import_torch(model, list(spikes), Decisions(STEPS))
    assert found.document["checked"]["different"] == 0
    assert found.network.encoding == "spikes"
    assert set(found.network.layers[2].sources) == {"m", "n"}
    parts.functional.reset_net(model)
    with torch.no_grad():
        theirs = torch.stack([model(each) for each in spikes]).sum(0)
    ours = run_floats(found.floats, spikes.double()).membranes["last"][-1].flatten(1)
    assert torch.allclose(ours.float(), theirs, atol=1e-4)
    values = spikes.swapaxes(0, 1).numpy().astype(np.uint8)
    done = run_own(
        found.network,
        choose_mapping(found.network, SMALL),
        {"in": UserInputs(values, True, None)},
        None,
    )
    assert done.equal
