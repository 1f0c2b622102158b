"""The images of a run: made once, the same in any cut, found again, and made again if damaged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from cosim.experiment.images import image_store, image_worker
from cosim.experiment.images.image_file import ImageSets
from cosim.experiment.images.image_store import Wanted, make
from cosim.experiment.images.image_worker import Batch, Made
from sw.attack.image_sets import BLOCK, attack_of
from sw.common.errors import InputError
from sw.common.progress import Progress
from sw.files.store import key
from sw.jobs.engine import Local
from sw.train import checkpoint
from sw.train.settings import TrainSettings
from tests.support.cli import small_checkpoint
from tests.support.subjects import make_data, make_networks

IMAGES = BLOCK + 7  # two blocks
NAMES = ("clean", "pgd_4", "fgsm_2", "fgsm_8", "transfer_8")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    folder = tmp_path_factory.mktemp("networks")
    attacker = folder / "attacker"
    checkpoint.save(attacker, make_networks(1), TrainSettings())
    network = small_checkpoint(folder).read_bytes()
    return Wanted(NAMES, make_data(IMAGES), network, attacker.read_bytes(), seed=7)


@pytest.fixture(scope="module")
def whole(wanted: Wanted) -> ImageSets:
    return run(wanted)


class Counted:
    """This process as an engine that counts its batches, and is cut off before the `end`-th."""

    shares_files = True
    workers = 1

    def __init__(self, end: int | None = None) -> None:
        self.done: list[Batch] = []
        self._end = end

    def run(self, jobs: Sequence[Callable[[], Batch]]) -> Iterator[tuple[int, Made]]:
        for number, job in enumerate(jobs):
            if len(self.done) == self._end:
                raise KeyboardInterrupt
            self.done.append(job())
            yield number, image_worker.run(self.done[-1])

    def close(self) -> None:
        pass


def run(wanted: Wanted, folder: Path | None = None, engine: Counted | None = None) -> ImageSets:
    with Progress(Console(stderr=True), shown=False) as progress:
        return make(wanted, folder, engine or Counted(), progress)[0]


def assert_same(found: ImageSets, expected: ImageSets) -> None:
    assert list(found.sets) == list(expected.sets)
    for name, one in found.sets.items():
        assert np.array_equal(one.images, expected.sets[name].images), name
        assert np.array_equal(one.zero, expected.sets[name].zero), name


def test_each_set_is_made_on_its_network(wanted: Wanted, whole: ImageSets) -> None:
    data, (ours, theirs) = wanted.data, (make_networks(seed).quantised_network for seed in (0, 1))
    assert np.array_equal(whole.sets["clean"].images, data.images)
    for name in NAMES[1:]:
        network = theirs if name == "transfer_8" else ours
        for block in (slice(0, BLOCK), slice(BLOCK, None)):
            made = attack_of(name, seed=7)(network, data.take(block))
            assert np.array_equal(whole.sets[name].images[block], made), name
    assert not np.array_equal(whole.sets["transfer_8"].images, whole.sets["fgsm_8"].images)


def test_no_two_images_sets_or_blocks_share_a_draw(wanted: Wanted) -> None:
    """The same grey image 107 times: what PGD and R+FGSM make of it is never the same."""
    grey = np.full_like(wanted.data.images, 128)
    data = replace(wanted.data, images=grey, labels=np.zeros(IMAGES, np.int64))
    made = run(replace(wanted, data=data, names=("pgd_8", "pgd_4", "rfgsm_8")))
    steps = [
        np.sign(one.images.astype(int) - 128).reshape(IMAGES, -1) for one in made.sets.values()
    ]
    together = np.concatenate(steps)
    assert len(np.unique(together, axis=0)) == 3 * IMAGES


def test_strengths_of_fgsm_share_a_gradient(wanted: Wanted) -> None:
    engine = Counted()
    run(wanted, None, engine)
    groups = [tuple(batch.attacks) for batch in engine.done]
    assert groups == [("pgd_4",)] * 2 + [("fgsm_2", "fgsm_8")] * 2 + [("transfer_8",)] * 2


@pytest.mark.slow
def test_processes_make_the_same(wanted: Wanted, whole: ImageSets) -> None:
    with Progress(Console(stderr=True), shown=False) as progress:
        found, _ = make(wanted, None, Local(2, image_worker.run), progress)
    assert_same(found, whole)


@pytest.mark.parametrize("end", [0, 1, 3, 5])
def test_what_was_cut_off_goes_on(
    wanted: Wanted, whole: ImageSets, tmp_path: Path, end: int
) -> None:
    folder = tmp_path / "images"
    with pytest.raises(KeyboardInterrupt):
        run(wanted, folder, Counted(end))
    rest = Counted()
    assert_same(run(wanted, folder, rest), whole)
    assert len(rest.done) == 6 - end
    assert sorted(path.name.partition("-")[0] for path in folder.iterdir()) == sorted(NAMES)
    nothing = Counted()
    assert_same(run(wanted, folder, nothing), whole)
    assert not nothing.done


@pytest.mark.parametrize("damage", ["byte", "length", "another's"])
def test_a_damaged_file_is_named_and_made_again(
    wanted: Wanted,
    whole: ImageSets,
    tmp_path: Path,
    damage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(wanted, tmp_path)
    (victim,) = tmp_path.glob("pgd_4-*.safetensors")
    (other,) = tmp_path.glob("fgsm_8-*.safetensors")
    content = bytearray(victim.read_bytes())
    if damage == "byte":
        content[-20] ^= 1
    elif damage == "length":
        del content[-100:]
    else:
        content[:] = other.read_bytes()
    victim.write_bytes(content)
    engine = Counted()
    assert_same(run(wanted, tmp_path, engine), whole)
    assert [tuple(batch.attacks) for batch in engine.done] == [("pgd_4",)] * 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert str(victim) in sentence
    assert sentence.endswith("it is made again")
    assert not capsys.readouterr().err


def test_everything_is_in_a_sets_name(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    data = wanted.data
    changed = data.images.copy()
    changed[-1, 0, 7, 7] ^= 1
    others: list[tuple[str, dict[str, Any]]] = [
        ("pgd_4", {}),
        ("pgd_8", {}),
        ("rfgsm_4", {}),
        ("transfer_4", {}),
        ("pgd_4", {"network": b"other"}),
        ("transfer_4", {"attacker": b"other"}),
        ("pgd_4", {"seed": 8}),
        ("pgd_4", {"data": replace(data, images=changed)}),
        ("pgd_4", {"data": replace(data, labels=data.labels[::-1])}),
        ("pgd_4", {"data": replace(data, numbers=data.numbers + 1)}),
        ("pgd_4", {"data": replace(data, name="mnist")}),
        ("pgd_4", {"data": data.take(slice(0, 100))}),
    ]
    names = [key(replace(wanted, **change).settings(name)) for name, change in others]
    assert len(set(names)) == len(names)
    monkeypatch.setattr(image_store, "code_hash", lambda _: "other")
    assert key(wanted.settings("pgd_4")) not in names


def test_a_set_without_its_attack_model(wanted: Wanted) -> None:
    with pytest.raises(InputError, match="set transfer_8 is made on another network"):
        run(replace(wanted, attacker=None))


def test_a_worker_with_other_code_refuses(wanted: Wanted) -> None:
    batch = Batch(wanted.network, {"pgd_4": attack_of("pgd_4")}, wanted.data, "other")
    with pytest.raises(InputError, match="a worker has another version of nc64c"):
        image_worker.run(batch)
