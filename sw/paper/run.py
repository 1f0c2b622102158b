"""An experiment from its name to its files: train and measure what is missing, then show it."""

import json
from pathlib import Path

from sw.common.checks import check_choice
from sw.files.atomic import atomic_write
from sw.jobs.engine import Engine
from sw.paper.cells import (
    EXPERIMENTS,
    Experiment,
    Store,
    grid,
    key,
    trainings,
)
from sw.paper.folder import Folder, Listener
from sw.paper.presets import Scale
from sw.paper.tables import document, findings
from sw.paper.tables.tables import Results, tables
from sw.paper.worker import Done, Job, Source, images


def check_name(name: str) -> Experiment:
    """The experiment of that name; raises `InputError` if there is none."""
    return check_choice("unknown experiment", name, EXPERIMENTS)


def run(
    name: Experiment,
    source: Source,
    out: Path,
    engine: Engine[Job, Done],
    listener: Listener | None = None,
) -> list[Path]:
    """Do an experiment; finished cells in `out` are taken as they are, so a killed run goes on.

    Args:
        name: which one.
        source: its scale, and where the images come from.
        out: folder for its files, and for cells and networks.
        engine: where its jobs run.
        listener: who is told how it goes.

    Returns:
        The files it made: NAME.json, NAME.md and NAME.png.

    Raises:
        InputError: bad data, a folder that cannot be written, Matplotlib is missing, or a training
            state that was left by another training.
    """
    document.check()
    train, test = images(source)
    cells = grid(name, source.scale, train, test)
    folder = Folder(Store(out), source, engine, listener or Listener())
    trained = folder.trained(trainings(cells))
    results = folder.measured(cells.values(), trained)
    by_place = {place: results[cell] for place, cell in cells.items()}
    outcome = document.Outcome(
        experiment=name,
        scale=source.scale,
        cells=cells,
        results=by_place,
        trained={key(task): result for task, result in trained.items()},
        tables=tables(name, source.scale, by_place),
        remarks=_remarks(name, source.scale, by_place),
    )
    return _written(outcome, out)


def _remarks(name: Experiment, scale: Scale, results: Results) -> dict[str, list[str]]:
    """By way of attack; the paper's findings are about its Table 2."""
    if name != "table2":
        return {}
    return {way: findings.observed(scale, results, way) for way in scale.ways}


def _written(outcome: document.Outcome, out: Path) -> list[Path]:
    content = json.dumps(document.as_json(outcome), indent=1, allow_nan=False)
    files = {
        "json": content.encode() + b"\n",
        "md": document.as_markdown(outcome).encode(),
        "png": document.as_png(outcome),
    }
    for ending, data in files.items():
        atomic_write(out / f"{outcome.experiment}.{ending}", data)
    return [out / f"{outcome.experiment}.{ending}" for ending in files]
