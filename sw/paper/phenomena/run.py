"""The phenomena from their grid to their document: train, measure what is missing, and judge."""

import json
from pathlib import Path

from sw.files.atomic import atomic_write
from sw.jobs.engine import Engine
from sw.paper.cells import Store, key
from sw.paper.folder import Folder, Listener
from sw.paper.phenomena import document, pictures
from sw.paper.phenomena.grid import grid, trainings
from sw.paper.phenomena.verdicts.claims import claims
from sw.paper.phenomena.verdicts.verdict import judge
from sw.paper.phenomena.verdicts.view import Trials
from sw.paper.tables import document as tables
from sw.paper.worker import Done, Job, Source, images

NAME = "phenomena"


def run(
    source: Source, out: Path, engine: Engine[Job, Done], listener: Listener | None = None
) -> list[Path]:
    """Do the whole grid, as `sw.paper.run.run` does a table, and judge the claims.

    Returns:
        The files it made: phenomena.json, phenomena.md and its pictures.

    Raises:
        InputError: as `sw.paper.run.run`.
    """
    tables.check()
    scale = source.scale
    train, test = images(source)
    places = grid(scale, train, test)
    folder = Folder(Store(out), source, engine, listener or Listener())
    trained = folder.trained(trainings(places.values()))
    measured = folder.measured(places.values(), trained)
    trials = Trials({place: measured[trial] for place, trial in places.items()})
    outcome = document.Outcome(
        scale=scale,
        trials=trials,
        verdicts=tuple(judge(claim, scale, trials) for claim in claims(scale)),
        trained={key(task): (task, result) for task, result in trained.items()},
    )
    files = {
        f"{NAME}.json": json.dumps(document.as_json(outcome), indent=1, allow_nan=False).encode()
        + b"\n",
        f"{NAME}.md": document.as_markdown(outcome).encode(),
        **{f"{NAME}-{name}.png": content for name, content in pictures.all_of(outcome).items()},
    }
    for name, content in files.items():
        atomic_write(out / name, content)
    return [out / name for name in files]
