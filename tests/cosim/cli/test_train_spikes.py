"""`nc64c train --dataset spikes`: events of a camera, from the training to the chip."""

from pathlib import Path

import numpy as np
import pytest

from cosim.experiment.levels.own import run_own
from cosim.mapping.choose import choose_mapping
from cosim.record import record
from hw.spec import ChipShape
from sw.attack.image_sets import draw_images
from sw.data import datasets
from sw.data.dataset import Dataset
from sw.data.spikes import SpikeForm
from sw.data.user.inputs import UserInputs
from sw.integer import inference
from sw.integer.fold import fold
from sw.model.metrics import accuracy, evaluate
from sw.train import checkpoint
from sw.train.task import form_of
from tests.support.cli import SMALL_CHIP, nc64c
from tests.support.saccades import SHAPE, STEPS, TICK, moved_digits, write_events

pytestmark = pytest.mark.slow

COUNT = 300
LAYERS = """
name = "small"

[[layer]]
kind = "conv"
features = 4
stride = 2

[[layer]]
kind = "conv"
features = 4
stride = 2

[[layer]]
kind = "fc"
features = 16
recurrent = true
reset = "subtract"
theta = 0.3
"""
HOW = (
    "--epochs",
    10,
    "--quantised-epochs",
    3,
    "--batch",
    32,
    "--rate",
    0.02,
    "--threads",
    1,
    "--no-fast",
)
EVENTS = ("--shape", "2x12x12", "--timesteps", STEPS, "--tick", TICK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events, layers, and the checkpoint that was trained of them."""
    made = tmp_path_factory.mktemp("spikes")
    write_events(made / "events.npz", COUNT)
    (made / "net.toml").write_text(LAYERS)
    done = nc64c("train", *_task(made), *EVENTS, *HOW, "--out", made / "net.safetensors")
    assert done.exit_code == 0, done.output
    assert "accuracy on held-out images is float" in done.output
    return made


def _task(folder: Path) -> tuple[object, ...]:
    return (
        *("--dataset", "spikes", "--data", folder / "events.npz"),
        *("--layers", folder / "net.toml"),
    )


def _form(folder: Path) -> SpikeForm:
    return form_of(checkpoint.load(folder / "net.safetensors").config)


def _test_part(folder: Path) -> Dataset:
    return datasets.load("spikes", "test", folder / "events.npz", _form(folder))


def _said(*arguments: object) -> str:
    """What a command says that must fail for bad input, on one line."""
    done = nc64c(*arguments)
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def test_the_checkpoint_says_what_inputs_are(folder: Path) -> None:
    config = checkpoint.load(folder / "net.safetensors").config
    assert (config.encoding, config.timesteps, config.tick) == ("spikes", STEPS, TICK)
    assert (config.input_shape, config.dataset) == (SHAPE, "spikes")
    assert config.classes == tuple(map(str, range(10)))


def test_it_learns_and_its_integers_fire_as_it_does(folder: Path) -> None:
    """A guess of ten classes would be right on 10 %."""
    loaded, held_out = checkpoint.load(folder / "net.safetensors"), _test_part(folder)
    for network in (loaded.float_network, loaded.quantised_network):
        found = evaluate(network, held_out.images)
        assert accuracy(found.predictions, held_out.labels) > 40
    trace = inference.run(fold(loaded.quantised_network), held_out.images)
    quantised = evaluate(loaded.quantised_network, held_out.images)
    assert trace.predictions.tolist() == quantised.predictions.tolist()
    assert {name: int(fired.sum()) for name, fired in trace.spikes.items()} == quantised.spikes
    assert all(quantised.spikes.values())


def test_it_goes_on_from_a_checkpoint_and_with_arrays(folder: Path) -> None:
    """Arrays of the same spikes, moved a little while it trains."""
    spikes, labels = moved_digits(COUNT)
    np.savez(folder / "arrays.npz", spikes=spikes, labels=labels)

    def given(name: str, out: str) -> tuple[object, ...]:
        return (
            *("train", "--dataset", name, "--data", folder / "arrays.npz"),
            *("--layers", folder / "net.toml", "--start", folder / "net.safetensors"),
            *("--no-fast", "--threads", 1, "--epochs", 1, "--quantised-epochs", 0),
            *("--out", folder / out, "--augment", "--short-epochs", 1),
        )

    sentence = "first weights: are of small, whose layers.fc2.weight is [10, 16]: must be [3, 16]"
    assert sentence in _said(*given("spikes:1,0,7", "three"))
    done = nc64c(*given("spikes", "more"))
    assert done.exit_code == 0, done.output
    assert checkpoint.load(folder / "more").config.tick is None


def test_the_first_layer_may_be_recurrent(folder: Path) -> None:
    """Where images are its inputs it may not: they are the host's."""
    (folder / "first.toml").write_text(
        '[[layer]]\nkind = "fc"\nfeatures = 20\ntheta = 0.3\nrecurrent = true\n'
    )
    first = ("--layers", folder / "first.toml", "--out", folder / "first")
    done = nc64c("train", *_task(folder), *EVENTS, *HOW, *first)
    assert done.exit_code == 0, done.output
    network = fold(checkpoint.load(folder / "first").quantised_network)
    assert network.layers[0].recurrent
    held_out = _test_part(folder).take(slice(10))
    inputs = UserInputs(held_out.images, True, held_out.labels)
    mapping = choose_mapping(network, ChipShape(2, 1, 1024, 256))
    run = run_own(network, mapping, {"held out": inputs}, None)
    assert run.equal
    assert sum(each.spikes["fc1"] for each in run.sets["held out"].result.answers["golden"]) > 10
    sentence = "the first layer takes the images and nothing else"
    assert sentence in _said("train", *first)


@pytest.mark.rtl
def test_all_levels_agree_on_it(folder: Path) -> None:
    network = ("--checkpoint", folder / "net.safetensors", "--jobs", 1, *SMALL_CHIP)
    out = folder / "run"
    data = ("--data", folder / "events.npz", "--images", 3, "--golden-images", 40)
    done = nc64c("cosim", *network, *data, "--out", out)
    assert done.exit_code == 0, done.output
    run = record.load(out)
    assert (run.encoding, list(run.sets)) == ("spikes", ["clean"])
    found = run.sets["clean"]
    assert found.compared_spikes > 0
    assert found.mapping_mismatches == found.mismatched_spikes == found.mismatched_membranes == 0
    assert found.predictions["golden"] == found.predictions["quantised"]
    assert (out / "report.html").exists()

    held_out = draw_images("spikes", 3, 0, folder / "events.npz", _form(folder))
    example = run.examples[0]
    picture = np.array(example.images["clean"])
    counts = held_out.images[example.index].sum(0, dtype=np.int64)
    most = counts.max()
    for channel, colour in ((0, 0), (1, 2)):
        assert np.array_equal(picture[..., colour], counts[channel] * 255 // most)
    flipped = held_out.images ^ (np.random.default_rng(1).random((3, STEPS, *SHAPE)) < 0.01)
    for name, values in (("clean", held_out.images), ("flipped", flipped)):
        np.savez(folder / f"{name}.npz", spikes=values, labels=held_out.labels)
    sets = f"{folder}/clean.npz,{folder}/flipped.npz"
    done = nc64c("cosim", *network, "--sets", sets, "--images", 2, "--out", folder / "own")
    assert done.exit_code == 0, done.output
    assert list(record.load(folder / "own").sets) == ["clean", "flipped"]


@pytest.mark.rtl
def test_attacked_spikes_go_through_all_levels(folder: Path) -> None:
    """RTL equals golden on them, and 12 changes along the gradient harm more than 12 at random."""
    network = ("--checkpoint", folder / "net.safetensors", "--jobs", 1, *SMALL_CHIP)
    data = ("--data", folder / "events.npz", "--images", 2, "--golden-images", 60)
    sets = ("clean", "flip_12", "insert_12", "drop_12", "shift_12", "blind_12")
    out = folder / "changed"
    done = nc64c("cosim", *network, *data, "--sets", ",".join(sets), "--out", out)
    assert done.exit_code == 0, done.output
    run = record.load(out)
    assert tuple(run.sets) == sets
    right = {}
    for name, found in run.sets.items():
        assert found.compared_spikes > 0
        assert found.mapping_mismatches == found.mismatched_spikes == 0
        assert found.mismatched_membranes == 0
        assert found.predictions["golden"] == found.predictions["quantised"]
        right[name] = sum(np.array(found.predictions["golden"]) == np.array(run.labels))
    assert right["flip_12"] < right["blind_12"] <= right["clean"] + 2
    assert nc64c("table5", out, "--out", folder / "table5").exit_code == 0
    text = (folder / "table5" / "table5.md").read_text()
    assert "Spikes inserted or dropped along the gradient, by their number" in text


def test_what_no_attack_can_change_is_refused(folder: Path) -> None:
    sentence = "takes spikes, which are 0 or 1 and cannot be moved by 1/255"
    checkpoint = folder / "net.safetensors"
    network = ("--checkpoint", checkpoint, "--data", folder / "events.npz")
    out = folder / "attacked"
    assert sentence in _said("cosim", *network, "--sets", "clean,fgsm_8", "--out", out)
    assert sentence in _said("attack", *network, "--out", out)
    assert sentence in _said("robustness", checkpoint)
    assert sentence in _said("robustness", checkpoint, "--suite", "quick", "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--encoding", "rate"), "encoding rate: spikes are inputs as they are"),
        (("--shape", "2x12"), "shape '2x12': must be channels x height x width"),
        (("--shape", "0x12x12"), "shape: is 0, must be an integer from 1"),
        (("--timesteps", 0), "timesteps: is 0, must be an integer from 1"),
        (("--tick", 0), "a step of 0 s: must be 1e-6 to 1e6"),
        (("--data", "/no/such"), "cannot read /no/such: no such file or folder"),
        (("--dataset", "digits"), "data set digits needs no folder"),
        (("--layers", "/no/such"), "cannot read description /no/such"),
    ],
)
def test_bad_options(
    folder: Path, tmp_path: Path, options: tuple[object, ...], sentence: str
) -> None:
    """The last of two equal options counts."""
    said = _said("train", *_task(folder), *EVENTS, *HOW, *options, "--out", tmp_path / "x")
    assert sentence in said
    assert list(tmp_path.iterdir()) == []


def test_images_are_no_spikes(tmp_path: Path) -> None:
    out = ("--out", tmp_path / "x")
    assert "has images, so there is no shape or tick" in _said("train", "--tick", 0.1, *out)
    sentence = "encoding spikes: data set digits has images"
    assert sentence in _said("train", "--encoding", "spikes", *out)
