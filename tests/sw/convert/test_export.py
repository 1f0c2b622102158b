"""Our networks as NIR: read by the interpreter in numpy, by our import, and by SpikingJelly."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch

from sw.common.errors import InputError
from sw.convert.decisions import Decisions
from sw.convert.kept.imported import import_nir
from sw.convert.nir.export import write
from sw.data import digits
from sw.files.paths import DIGITS_CHECKPOINT
from sw.integer.fold import fold
from sw.integer.inference import run
from sw.integer.network import IntegerNetwork
from sw.integer.plain import PlainLayer, import_arrays
from sw.train import checkpoint
from tests.support import nir_run, spiking
from tests.support.cli import nc64c
from tests.support.nir_graphs import DT, TIMESTEPS, Drawn


def spikes_of(graph: Any, given: Any, reset: str, names: list[str]) -> dict[str, Any]:
    found = nir_run.run(graph, given, nir_run.Rules(DT, reset, "at"))
    return {name: found[name] > 0 for name in names}


@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_random_networks_fire_alike(seed: int, more: bool, tmp_path: Path) -> None:
    drawn = Drawn(seed, more=more)
    nir.write(tmp_path / "drawn.nir", drawn.graph)
    reset = "subtract" if seed % 2 else "zero"
    decisions = Decisions(TIMESTEPS, DT, reset)  # type: ignore[arg-type]
    network = import_nir(tmp_path / "drawn.nir", decisions).network
    write(tmp_path / "out.nir", network, DT)
    graph = nir.read(tmp_path / "out.nir", type_check=False)
    spikes = drawn.spikes()
    trace = run(network, spikes)
    for image, given in enumerate(spikes):
        found = spikes_of(graph, given, reset, list(trace.spikes))
        for name, fired in trace.spikes.items():
            same = fired[:, image].reshape(found[name].shape)
            assert np.array_equal(found[name], same), f"seed {seed}, {name}"
    again = import_nir(tmp_path / "out.nir", decisions).network
    second = run(again, spikes)
    assert all(np.array_equal(second.spikes[name], trace.spikes[name]) for name in trace.spikes)
    assert second.predictions.tolist() == trace.predictions.tolist()


def test_the_digits_network_with_its_pools(tmp_path: Path) -> None:
    out = tmp_path / "digits.nir"
    done = nc64c("export", DIGITS_CHECKPOINT, "--out", out, "--dt", DT)
    assert done.exit_code == 0, done.output
    network = fold(checkpoint.load(DIGITS_CHECKPOINT).quantised_network)
    graph = nir.read(out, type_check=False)
    assert graph.metadata["inputs"] in (b"images, direct", "images, direct")
    images = digits.load("test").images[:2]
    trace = run(network, images)
    total = different = 0
    for image, pixels in enumerate(images):
        given = np.repeat(pixels[None] / 255, network.timesteps, axis=0)
        found = spikes_of(graph, given, network.layers[0].reset, list(trace.spikes))
        for name, fired in trace.spikes.items():
            total += int(fired[:, image].sum())
            different += int((found[name] != fired[:, image].reshape(found[name].shape)).sum())
    assert total > 1000
    assert different <= total // 500  # a leak rounds down here, and is exact in NIR
    answers = import_nir(out, Decisions(network.timesteps, DT, inputs="direct")).network
    again = run(answers, images)
    assert all(np.array_equal(again.spikes[name], trace.spikes[name]) for name in trace.spikes)
    assert again.predictions.tolist() == trace.predictions.tolist()
    assert [layer.name for layer in answers.layers if layer.pool] == []  # pools are layers there
    assert len(answers.layers) == len(network.layers) + sum(x.pool for x in network.layers)


def _dense() -> IntegerNetwork:
    generator = np.random.default_rng(5)
    layers = [
        PlainLayer(generator.integers(-20, 40, (16, 9)), threshold=60, bias=3, name="a"),
        PlainLayer(generator.integers(-20, 40, (8, 16)), threshold=90, name="b"),
        PlainLayer(generator.integers(-3, 4, (3, 8)), name="c"),
    ]
    return import_arrays(layers, (9, 1, 1), 12)


def test_spikingjelly_reads_it_and_fires_alike(tmp_path: Path) -> None:
    """Its IF needs r = 1 / dt, so dt = 1; a layer has one threshold there, and resets to 0."""
    functional = spiking.spikingjelly().functional
    pytest.importorskip("nirtorch", reason="needs pip install nirtorch")
    exchange = pytest.importorskip("spikingjelly.activation_based.nir_exchange")
    network = _dense()
    write(tmp_path / "net.nir", network, 1.0)
    model = exchange.import_from_nir(tmp_path / "net.nir", dt=1.0, dtype=torch.float64)
    functional.reset_net(model)
    spikes = np.random.default_rng(6).integers(0, 2, (4, 12, 9, 1, 1), np.uint8)
    trace = run(network, spikes)
    seen: dict[str, list[Any]] = {"a": [], "b": []}
    for name, kept in seen.items():
        part = model.get_submodule(name)
        part.register_forward_hook(lambda _m, _i, out, kept=kept: kept.append(out[0]))
    state, total = None, 0
    with torch.no_grad():
        for each in torch.from_numpy(spikes).double().swapaxes(0, 1):
            out, state = model(each, state)
            total = total + out
    for name, kept in seen.items():
        fired = torch.stack(kept).numpy() > 0
        assert fired.any()
        assert np.array_equal(fired.reshape(trace.spikes[name].shape), trace.spikes[name])
    assert np.array_equal(np.asarray(total), trace.membrane)


def test_what_nir_cannot_say(tmp_path: Path) -> None:
    layers = [PlainLayer(np.eye(3, dtype=int), 2, reset="none"), PlainLayer(np.eye(3, dtype=int))]
    network = import_arrays(layers, (3, 1, 1), 4)
    with pytest.raises(InputError, match="layer1: fires without a reset, which NIR cannot say"):
        write(tmp_path / "net.nir", network, DT)
    with pytest.raises(InputError, match="must be seconds"):
        write(tmp_path / "net.nir", _dense(), 0.0)
    for arguments in (
        (tmp_path / "none", "--out", tmp_path / "net.nir"),
        (__file__, "--out", tmp_path / "net.nir"),
        (DIGITS_CHECKPOINT, "--out", tmp_path / "no/net.nir"),
    ):
        done = nc64c("export", *arguments)
        assert done.exit_code == 2, done.output
    assert not list(tmp_path.iterdir())
