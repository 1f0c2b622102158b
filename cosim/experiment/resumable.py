"""The shards of a run: those that are finished already are taken from their files, others done."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cosim.experiment.plan import Result, Shard
from sw.common.progress import Progress
from sw.common.typed import plain
from sw.files.store import Store
from sw.jobs.engine import Engine

FOLDER = "shards"


def run_shards(
    shards: Sequence[Shard],
    out: Path,
    engine: Engine[Shard, Result],
    progress: Progress,
    stage: str = "shards",
) -> tuple[list[Result], int]:
    """What each shard gives, and how many were finished before.

    Finished ones are kept in `out`/shards, a file each, as soon as they are. One whose file is
    damaged is named, and done again.
    """
    store = Store(out / FOLDER, "shard")
    results: dict[int, Result] = {}
    with progress.stage(stage, len(shards), "shards") as advance:
        for number, shard in enumerate(shards):
            kept = store.found(shard.settings, Result, progress.say)
            if kept is not None:
                results[number] = kept
                advance(1)
        found = len(results)
        # Those that take long go first, so that all workers end at about the same time.
        missing = [number for number in range(len(shards)) if number not in results]
        missing.sort(key=lambda number: not shards[number].rtl)
        jobs = [partial(shards.__getitem__, number) for number in missing]
        for place, result in engine.run(jobs):
            number = missing[place]
            store.save(shards[number].settings, plain(result))
            results[number] = result
            advance(1)
    return [results[number] for number in range(len(shards))], found
