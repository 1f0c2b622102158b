"""Experiments from end to end: their files, and what is not done twice."""

import dataclasses
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sw.attack.robustness import measure
from sw.common.errors import InputError
from sw.jobs.engine import Cluster, Local
from sw.jobs.workers import WorkerDied
from sw.model.metrics import accuracy, evaluate
from sw.paper import run, worker
from sw.paper.cells import Store, fingerprint, grid
from sw.paper.folder import Listener
from sw.paper.tables import document
from sw.paper.worker import Job, Source
from sw.train import checkpoint
from sw.train.loop import Diverged, TrainFiles, train
from tests.support.markdown import tables
from tests.sw.paper.conftest import SOURCE, TINY, Finished

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
ONE = dataclasses.replace(TINY, encodings=("direct",), ways=("white-box",))


def _cells(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "cells").iterdir())}


def _figures(folder: Path) -> dict[str, object]:
    """What was measured, without the seconds that it took."""
    cells = {name: json.loads(content)["result"] for name, content in _cells(folder).items()}
    for result in cells.values():
        result.pop("seconds")
    return cells


class Counting(Local[Job, worker.Done]):
    """Local, and remembers what it was given to do."""

    def __init__(self) -> None:
        super().__init__(1, worker.run)
        self.jobs: list[Job] = []

    def run(self, jobs):  # type: ignore[no-untyped-def]
        for number, make in enumerate(jobs):
            job = make()
            self.jobs.append(job)
            yield number, worker.run(job)


def test_table_1(finished: Finished) -> None:
    assert [path.name for path in finished.files] == ["table1.json", "table1.md", "table1.png"]
    document = json.loads(finished.files[0].read_text())
    assert document["experiment"] == "table1"
    assert [table["way"] for table in document["tables"]] == [
        "white-box",
        "approximated",
        "transfer",
    ]
    assert len(document["cells"]) == 2 * 2 * 3
    assert len(document["networks"]) == 3
    markdown = finished.files[1].read_text()
    assert tables(markdown)
    assert "| theta | weights | direct I | direct II | direct III | rate I |" in markdown
    assert "(7.41)" in markdown
    assert "[1] printed 13,42: a decimal comma, or one of the scan." in markdown
    assert finished.files[2].read_bytes().startswith(PNG)
    assert list(finished.folder.rglob("*.tmp")) == []


def test_a_cell_is_what_measuring_its_network_gives(finished: Finished) -> None:
    cells = grid("table1", TINY, *worker.images(SOURCE))
    store, (_, test) = Store(finished.folder), worker.images(SOURCE)
    for cell in set(cells.values()):
        result = store.load(cell)
        assert result is not None
        networks = []
        for task in (cell.target, cell.attacker):
            if task is not None:
                trained = store.load(task)
                assert trained is not None
                path = finished.folder / "check.safetensors"
                path.write_bytes(store.network(task, trained))
                loaded = checkpoint.load(path)
                path.unlink()
                network = (
                    loaded.float_network if cell.weights == "float" else loaded.quantised_network
                )
                right = accuracy(evaluate(network, test.images).predictions, test.labels)
                assert trained["accuracy"][cell.weights] == right
                networks.append(network)
        attacks = {f"fgsm_{attack.eps}": attack for attack in cell.attacks}
        found = measure(networks[0], test, attacks, *networks[1:])
        assert result["sets"].keys() == {"clean", "fgsm_2", "fgsm_8", "fgsm_16"}
        assert result["sets"]["clean"] == dataclasses.asdict(found.clean)
        assert result["sets"]["fgsm_16"] == dataclasses.asdict(found.attacked["fgsm_16"])


@pytest.mark.parametrize("name", ["table2", "table3", "table4", "figure3", "figure4"])
def test_all_others_share_their_cells(name: str, vgg9: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(vgg9, folder)
    engine = Counting()
    files = run.run(run.check_name(name), SOURCE, folder, engine)
    assert engine.jobs == []
    assert files[2].read_bytes().startswith(PNG)
    document = json.loads(files[0].read_text())
    assert len(document["tables"]) == (1 if name == "figure3" else 3)
    assert document["title"] in files[1].read_text()
    assert (document["remarks"] != {}) == (name == "table2")


@pytest.fixture(scope="session")
def vgg9(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cells of all that is made of VGG9."""
    folder = tmp_path_factory.mktemp("vgg9")
    run.run("figure3", SOURCE, folder, Local(1, worker.run))
    return folder


def test_nothing_is_done_twice(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished.folder, folder)
    engine = Counting()
    told: list[tuple[str, int]] = []
    listener = Listener(lambda kind, count: told.append((kind, count)))
    run.run("table1", SOURCE, folder, engine, listener)
    assert engine.jobs == []
    assert _cells(folder) == _cells(finished.folder)
    assert told == [("training", 3), ("measuring", 10)]
    again = json.loads((folder / "table1.json").read_text())
    assert again == json.loads((finished.folder / "table1.json").read_text())
    assert (folder / "table1.png").read_bytes() == (finished.folder / "table1.png").read_bytes()


@pytest.mark.parametrize("kind", ["cells", "networks"])
def test_what_is_damaged_is_done_again(finished: Finished, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "out"
    shutil.copytree(finished.folder, folder)
    victim = sorted((folder / kind).iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:100])
    engine = Counting()
    told: list[str] = []
    run.run("table1", SOURCE, folder, engine, Listener(damaged=told.append))
    assert len(engine.jobs) == 1
    (sentence,) = told
    assert str(victim) in sentence
    assert "is damaged" in sentence
    assert sentence.endswith("it is made anew")
    assert _figures(folder) == _figures(finished.folder)


def test_several_processes_give_the_same(finished: Finished, tmp_path: Path) -> None:
    """Only what is missing: a network and three cells."""
    folder = tmp_path / "out"
    shutil.copytree(finished.folder, folder)
    for kind, count in (("networks", 1), ("cells", 3)):
        for path in sorted((folder / kind).iterdir())[:count]:
            path.unlink()
    run.run("table1", SOURCE, folder, Local(2, worker.run))
    assert _figures(folder) == _figures(finished.folder)


def test_killed_it_goes_on_without_losing_a_cell(finished: Finished, tmp_path: Path) -> None:
    """Killed outright once three tasks are finished; the files of those are never written again."""
    folder = tmp_path / "out"
    code = (
        "from sw.paper import run, worker\n"
        "from sw.jobs.engine import Local\n"
        "from tests.sw.paper.conftest import SOURCE\n"
        "from pathlib import Path\n"
        f"run.run('table1', SOURCE, Path({str(folder)!r}), Local(1, worker.run))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 1200
    while len(list(folder.glob("cells/*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*.json")}
    assert len(kept) >= 3
    engine = Counting()
    run.run("table1", SOURCE, folder, engine)
    assert len(engine.jobs) == 13 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert _figures(folder) == _figures(finished.folder)


def test_a_training_goes_on_after_its_last_epoch(finished: Finished, tmp_path: Path) -> None:
    """Cut off in the middle of the third of three epochs; two are not done again."""
    train_images, _ = worker.images(SOURCE)
    task = next(iter(grid("table1", TINY, *worker.images(SOURCE)).values())).target
    state = tmp_path / "a.state"
    files = TrainFiles(state, state.with_suffix(".curve.jsonl"))

    def stop(step: int, total: int, _loss: float, _accuracy: float) -> None:
        if step == total - 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(task.network, train_images, task.settings, stop, files)
    assert len(files.curve.read_text().splitlines()) == 2
    before = files.curve.read_text()
    done = worker.run(Job(task, SOURCE, state=state))
    assert files.curve.read_text().startswith(before)
    assert done.network is not None
    expected = Store(finished.folder).load(task)
    assert expected is not None
    assert hashlib.sha256(done.network).hexdigest() == expected["sha256"]


def test_a_dask_cluster_gives_the_same(finished: Finished, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
    folder = tmp_path / "out"
    shutil.copytree(finished.folder, folder)
    for path in (*(folder / "networks").iterdir(), *sorted((folder / "cells").iterdir())[:9]):
        path.unlink()
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        engine = Cluster(cluster.scheduler_address, worker.run)
        run.run("table1", SOURCE, folder, engine)
        engine.close()
    assert _figures(folder) == _figures(finished.folder)


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
    monkeypatch.setattr("sw.jobs.engine.CONNECT_SECONDS", 0.2)
    with pytest.raises(
        InputError, match=r"scheduler tcp://127\.0\.0\.1:9: no Dask scheduler answers"
    ):
        Cluster("tcp://127.0.0.1:9", worker.run)


def test_training_that_fails_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverges(*_: object, **__: object) -> None:
        raise Diverged("training diverged: the loss is nan at step 3", None)

    monkeypatch.setattr(worker, "train", diverges)
    files = run.run("table1", Source(ONE, None), tmp_path, Local(1, worker.run))
    document = json.loads(files[0].read_text())
    assert [cell["failed"] for cell in document["cells"]] == [
        "training diverged: the loss is nan at step 3"
    ] * 2
    markdown = files[1].read_text()
    assert tables(markdown)
    assert "| 0.4 | Q1 | - (7.41) |" in markdown
    assert "| direct | 0.4 | training failed |" in markdown
    assert len(_cells(tmp_path)) == 1  # the training's; cells of failed networks are not kept


def test_a_network_of_nan_is_a_gap_and_the_others_are_measured(tmp_path: Path) -> None:
    """Gains of 1e6, one behind the other, make gradients that no float32 holds."""
    scale = dataclasses.replace(ONE, thetas=(0.4, 1e6))
    files = run.run("figure3", Source(scale, None), tmp_path, Local(1, worker.run))
    cells = json.loads(files[0].read_text())["cells"]
    failed = {cell["theta"]: cell.get("failed") for cell in cells}
    assert failed[0.4] is None
    assert failed[1e6].startswith("training diverged: the gradient of layers.conv1.weight")


def test_a_network_that_cannot_be_read_back_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_content: bytes) -> None:
        raise InputError("checkpoint x: a tensor holds NaN")

    monkeypatch.setattr(checkpoint, "load_bytes", refuse)
    files = run.run("table1", Source(ONE, None), tmp_path, Local(1, worker.run))
    sentences = [cell["failed"] for cell in json.loads(files[0].read_text())["cells"]]
    wanted = "the trained network cannot be read back: checkpoint x: a tensor holds NaN"
    assert sentences == [wanted] * 2


def test_a_worker_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sw.jobs.workers._worker", _dies)
    with pytest.raises(WorkerDied, match="ended without a result"):
        run.run("table1", SOURCE, tmp_path, Local(2, worker.run))
    assert _cells(tmp_path) == {}


def _dies(_connection: object, _work: object, _environment: object) -> None:
    sys.exit(3)


def test_another_machines_images() -> None:
    train, test = worker.images(SOURCE)
    cell = next(iter(grid("table1", TINY, train, test).values()))
    assert cell.images == fingerprint(test)
    wrong = dataclasses.replace(cell, images="0")
    with pytest.raises(InputError, match="the test images of digits are not the same on every"):
        worker.run(Job(wrong, SOURCE))
    wrong_training = dataclasses.replace(cell.target, images="0")
    with pytest.raises(InputError, match="the training images of digits are not the same"):
        worker.run(Job(wrong_training, SOURCE))


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r"pictures need Matplotlib: install nc64c\[plots\]"):
        run.run("table1", SOURCE, tmp_path, Local(1, worker.run))
    with pytest.raises(InputError, match="pictures need Matplotlib"):
        document.check()
    assert list(tmp_path.iterdir()) == []


def test_no_such_experiment() -> None:
    with pytest.raises(InputError, match="unknown experiment 'table6': must be one of table1, "):
        run.check_name("table6")
